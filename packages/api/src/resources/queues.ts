/** Queues: what is in them, who reads from them, and what an operator does with them. */
import type { QueuePolicy } from '@ternmq/config'
import type { HealthQuery, ListQuery, Page, VhostParams } from '../page.ts'
import type { None, Route } from '../route.ts'

/** Keys of `queues` in the configuration; what is left out comes from policies and defaults. */
export type QueueSettingsInput = QueuePolicy['settings']

export interface QueueItem {
  readonly name: string
  /** `subscription`: a durable or shared subscription of topics has it. `temporary`: it goes with a connection. */
  readonly kind: 'queue' | 'subscription' | 'temporary'
  /** What an acknowledged persistent message in it survives. */
  readonly durability: string
  /** It was made by being used. */
  readonly automatic: boolean
  readonly paused: boolean
  /** Publishers wait for room in it. */
  readonly blocking: boolean
  readonly readyCount: number
  readonly readyBytes: number
  readonly inflightCount: number
  /** Failed, and waiting for the next attempt. */
  readonly delayedCount: number
  /** Of the oldest message that the log has; left out when there is none. */
  readonly oldestAgeMs?: number | undefined
  readonly consumerCount: number
  readonly messagesIn: number
  readonly messagesOut: number
  readonly settledCount: number
  readonly redeliveredCount: number
  readonly deadLetteredCount: number
  readonly expiredCount: number
  readonly droppedCount: number
  /** Left out until there are two samples. */
  readonly inPerSecond?: number | undefined
  readonly outPerSecond?: number | undefined
  /** '' when there is none. */
  readonly deadLetter: string
  /** Other queues send what they cannot deliver here. */
  readonly isDeadLetter: boolean
  /** Why nobody gets anything though messages wait, or why nothing more comes in. Left out when all is well. */
  readonly problem?: string | undefined
}

export interface SettingSource {
  readonly key: string
  readonly value: unknown
  /** Where the value is from: the default, a policy's match, or the queue itself. */
  readonly from: 'default' | 'policy' | 'queue'
  /** Id or pattern of the policy. */
  readonly policy?: string | undefined
}

export interface QueueDetail extends QueueItem {
  /** Given for this queue. */
  readonly settings: QueueSettingsInput
  /** Every key as it counts, with where it is from. */
  readonly effective: readonly SettingSource[]
  /** Topic patterns whose messages come into it. */
  readonly bindings: readonly string[]
  readonly consumers: readonly ConsumerItem[]
}

export interface ConsumerItem {
  readonly queue: string
  readonly clientId: string
  readonly user: string
  readonly protocol: string
  readonly connectionId?: string | undefined
  readonly attached: boolean
  /** Deliveries that it may still get. */
  readonly credit: number
  readonly unsettledCount: number
  readonly priority: number
  readonly exclusive: boolean
  readonly browsing: boolean
  readonly selector?: string | undefined
}

export interface QueueQuery extends HealthQuery {
  readonly kind?: QueueItem['kind'] | undefined
  readonly deadLetters?: boolean | undefined
  /** Only those with messages. */
  readonly nonEmpty?: boolean | undefined
}

export interface QueueParams extends VhostParams {
  readonly queue: string
}

export interface Purged {
  readonly count: number
  readonly bytes: number
}

export const listQueues: Route<{ params: VhostParams; query: QueueQuery; body: None; answer: Page<QueueItem> }> = {
  id: 'queues.list',
  method: 'GET',
  path: '/vhosts/{vhost}/queues',
  tag: 'queues',
  needs: 'read',
  summary: 'Queues.',
}

export const getQueue: Route<{ params: QueueParams; query: None; body: None; answer: QueueDetail }> = {
  id: 'queues.get',
  method: 'GET',
  path: '/vhosts/{vhost}/queues/{queue}',
  tag: 'queues',
  needs: 'read',
  summary: 'One queue with its settings and consumers.',
}

export const putQueue: Route<{ params: QueueParams; query: None; body: { readonly settings?: QueueSettingsInput | undefined }; answer: QueueDetail }> = {
  id: 'queues.put',
  method: 'PUT',
  path: '/vhosts/{vhost}/queues/{queue}',
  tag: 'queues',
  needs: 'operate',
  summary: 'Makes a queue, or gives one that exists other settings of its own; they count at once.',
}

export const deleteQueue: Route<{
  params: QueueParams
  query: { readonly ifEmpty?: boolean | undefined; readonly ifUnused?: boolean | undefined }
  body: None
  answer: Purged
}> = {
  id: 'queues.delete',
  method: 'DELETE',
  path: '/vhosts/{vhost}/queues/{queue}',
  tag: 'queues',
  needs: 'operate',
  summary: 'Deletes a queue with all that is in it, and says how much that was.',
}

export const purgeQueue: Route<{ params: QueueParams; query: None; body: None; answer: Purged }> = {
  id: 'queues.purge',
  method: 'POST',
  path: '/vhosts/{vhost}/queues/{queue}/purge',
  tag: 'queues',
  needs: 'operate',
  summary: 'Takes out all that waits; what consumers have stays.',
}

export const pauseQueue: Route<{ params: QueueParams; query: None; body: None; answer: QueueItem }> = {
  id: 'queues.pause',
  method: 'POST',
  path: '/vhosts/{vhost}/queues/{queue}/pause',
  tag: 'queues',
  needs: 'operate',
  summary: 'Stops handing out; messages still come in. Lasts over a restart.',
}

export const resumeQueue: Route<{ params: QueueParams; query: None; body: None; answer: QueueItem }> = {
  id: 'queues.resume',
  method: 'POST',
  path: '/vhosts/{vhost}/queues/{queue}/resume',
  tag: 'queues',
  needs: 'operate',
  summary: 'Goes on handing out.',
}

export const listConsumers: Route<{ params: VhostParams; query: ListQuery & { readonly queue?: string | undefined }; body: None; answer: Page<ConsumerItem> }> = {
  id: 'consumers.list',
  method: 'GET',
  path: '/vhosts/{vhost}/consumers',
  tag: 'queues',
  needs: 'read',
  summary: 'Who reads from which queue.',
}
