/** Names of the core as STOMP writes and reads them. */
import { QUEUE_PREFIX } from '@ternmq/core'
import { fromCoreName, type Profile, resolve, spell, toCoreName } from '@ternmq/naming'

/** A core name as STOMP writes it; undefined for what STOMP cannot write. */
export function spellReplyTo(name: string): string | undefined {
  return spell(fromCoreName(name), 'stomp')
}

/** The core name that `reply-to` means; undefined when it is none. */
export function readReplyTo(text: string): string | undefined {
  const read = resolve(text, { protocol: 'stomp', purpose: 'send' })
  return read.ok ? toCoreName(read.address) : undefined
}

/** `destination` of a MESSAGE from the core name it was sent to. */
export function spellDestination(name: string, profile: Profile): string {
  return spell(fromCoreName(name), 'stomp', profile) ?? (name.startsWith(QUEUE_PREFIX) ? `/queue/${name.slice(QUEUE_PREFIX.length)}` : `/topic/${name}`)
}
