/**
 * Why a publish has to wait or is refused, in a sentence that an operator can act on and a client may read: which limit, and what is
 * wrong with those who should make room. Asked for when something is held or refused, never per message.
 */
import type { Queue } from '../queue/queue.ts'
import { bytesText, countText, durationText } from './units.ts'

/** `orders is over its limit of 1 GiB: no consumer for 12 min`. `limit` as `limitText` said when it was in the way. */
export function fullText(queue: Queue, limit: string, nowMs: number): string {
  return `${queue.name} is over its limit of ${limit}: ${idleText(queue, nowMs)}`
}

/** The store is behind, not the consumers. */
export function logBehindText(pendingBytes: number): string {
  return `the store is behind: ${bytesText(pendingBytes)} wait to be written`
}

/** All queues together have too much in memory. */
export function memoryText(queue: Queue, bytes: number, bytesMax: number, nowMs: number): string {
  return (
    `${bytesText(bytes)} of messages wait in memory, the limit (limits.waitingBytesMax) is ${bytesText(bytesMax)}; ` +
    `${queue.name}: ${idleText(queue, nowMs)}`
  )
}

/** Nobody has to wait for room that there can never be. */
export function neverFitsText(queue: Queue, bytes: number): string {
  return `a message of ${bytesText(bytes)} never fits into ${queue.name}, whose limit (bytesMax) is ${bytesText(queue.settings.bytesMax)}`
}

export function tooLargeText(address: string, bytes: number, bytesMax: number): string {
  return `a message of ${bytes} bytes for '${address}' exceeds limits.maxMessageBytes ${bytesMax}`
}

/** A connection has more waiting than it may. */
export function heldText(count: number, bytes: number, messagesMax: number, bytesMax: number): string {
  return (
    `${countText(count, 'publish', 'publishes')} of this connection (${bytesText(bytes)}) wait already, ` +
    `the limits are ${messagesMax} and ${bytesText(bytesMax)} (limits.connectionParkedBytesMax); wait for the answers to some of them`
  )
}

/** The limit that a queue without room has reached. */
export function limitText(queue: Queue): string {
  const { messagesMax, bytesMax } = queue.settings
  const isFullOfMessages = queue.waitingCount + queue.contents.delayedCount + queue.underWayCount >= messagesMax
  return isFullOfMessages ? countText(messagesMax, 'message') : bytesText(bytesMax)
}

function idleText(queue: Queue, nowMs: number): string {
  if (queue.isPaused) return 'it is paused'
  const attached = queue.consumers.filter(({ isAttached }) => isAttached).length
  if (attached === 0) return `no consumer for ${durationText(nowMs - queue.aloneSinceMs)}`
  const idleMs = nowMs - queue.idleSinceMs
  const who = countText(attached, 'consumer')
  if (idleMs < SLOW_FROM_MS) return `${who}, slower than its producers`
  return `${who}, none took a message for ${durationText(idleMs)}`
}

/** Consumers that took something within it are at work. */
const SLOW_FROM_MS = 1_000
