/** Messages in queues: looked at without a change, and acted on one by one or by the thousand. */
import type { Page, VhostParams } from '../page.ts'
import type { None, Route } from '../route.ts'
import type { QueueParams } from './queues.ts'

export interface DeadLetterInfo {
  /** 'rejected', 'deliveries', 'expired', … */
  readonly cause: string
  readonly reason?: string | undefined
  readonly originalQueue?: string | undefined
  readonly originalAddress?: string | undefined
  readonly atMs?: number | undefined
}

export interface MessageItem {
  /** Names it as long as it is in the queue and the process lives. */
  readonly id: string
  readonly state: 'waiting' | 'in flight'
  /** What it was published to, in core form: `a/b`, `$queue/orders`. */
  readonly address: string
  readonly bytes: number
  readonly bodyBytes: number
  readonly durable: boolean
  readonly priority: number
  /** When it came to where it is, by the log; left out for what is in memory only. */
  readonly arrivedAtMs?: number | undefined
  /** Left out: never. */
  readonly expiresAtMs?: number | undefined
  /** Client id of who published it. */
  readonly publisher?: string | undefined
  readonly redelivered: boolean
  readonly failedCount: number
  /** Protocol that it came in: 'mqtt5', 'stomp', 'amqp10', 'http'. */
  readonly format: string
  readonly messageId?: string | undefined
  readonly correlationId?: string | undefined
  readonly contentType?: string | undefined
  readonly contentEncoding?: string | undefined
  readonly replyTo?: string | undefined
  readonly type?: string | undefined
  readonly groupId?: string | undefined
  readonly timestampMs?: number | undefined
  /** Application that published it. */
  readonly appId?: string | undefined
  /** User that published it, where its protocol lets the broker verify that. */
  readonly userId?: string | undefined
  readonly deadLetter?: DeadLetterInfo | undefined
  /** Of a dead letter whose origin the caller may not look into: which permission is missing. What its publisher gave is left out then. */
  readonly withheld?: string | undefined
}

export interface MessageDetail extends MessageItem {
  /** In the order received; keys may come again. */
  readonly properties: ReadonlyArray<readonly [key: string, value: string]>
  readonly annotations: Readonly<Record<string, string | number>>
  readonly body: MessageBody
}

export interface MessageBody {
  /** `text`: UTF-8 as it is. `json`: UTF-8 that is JSON, as it is. `base64`: anything else. */
  readonly encoding: 'text' | 'json' | 'base64'
  readonly value: string
  readonly bytes: number
  /** Only the first bytes are here; `…/body` has all. */
  readonly truncated: boolean
}

export interface BrowseQuery {
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
  /** SQL-92 selector: `priority > 4 AND colour = 'red'`. */
  readonly selector?: string | undefined
}

export interface MessageParams extends QueueParams {
  readonly id: string
}

export interface PeekQuery {
  /** Most bytes of the body; 65,536 when left out. */
  readonly bodyBytesMax?: number | undefined
}

/** What an action is done to: `ids`, or all that a `selector` wants, or all. One of them. */
export interface ActionBody {
  /** `retry`: dead letters go back to the queue that they came from, or to `target`. */
  readonly action: 'move' | 'copy' | 'delete' | 'retry'
  readonly ids?: readonly string[] | undefined
  readonly selector?: string | undefined
  readonly all?: boolean | undefined
  /** Messages at most, the first in the queue's order. */
  readonly limit?: number | undefined
  /** Queue; of `move`, `copy`, and of `retry` where it is not where they came from. */
  readonly target?: string | undefined
  /** Messages a second; as fast as it goes when left out. */
  readonly perSecond?: number | undefined
}

export interface OperationItem {
  readonly id: string
  readonly action: ActionBody['action'] | 'apply' | 'purge'
  readonly queue: string
  readonly target?: string | undefined
  readonly user: string
  /** `interrupted`: the broker ended in the middle of it, and `doneCount` is the least that it had done. */
  readonly state: 'running' | 'done' | 'stopped' | 'cancelled' | 'failed' | 'interrupted'
  /** What it will come to, as far as that is known. */
  readonly total?: number | undefined
  readonly doneCount: number
  /** Left where they are: there is no queue to send them to. */
  readonly skippedCount: number
  /** Refused by their target. */
  readonly refusedCount: number
  /** Where ids were given: those of no message that waited when it began. */
  readonly missingIds?: readonly string[] | undefined
  /** What is in the way, or why the first of those was left where it is. */
  readonly reason?: string | undefined
  readonly startedAtMs: number
  readonly endedAtMs?: number | undefined
  /** `resume` goes on where it ended. */
  readonly canResume: boolean
}

export interface DeadLetterGroup {
  readonly cause: string
  readonly originalQueue?: string | undefined
  readonly reason?: string | undefined
  /** In place of a reason: this is the rest of its cause and origin, of so many reasons that have no group of their own. */
  readonly otherReasonsCount?: number | undefined
  readonly count: number
  readonly oldestAtMs?: number | undefined
}

export interface DeadLetterQueue {
  readonly queue: string
  readonly readyCount: number
  /** Of the messages that were looked at. */
  readonly groups: readonly DeadLetterGroup[]
  readonly lookedAtCount: number
}

export const browseMessages: Route<{ params: QueueParams; query: BrowseQuery; body: None; answer: Page<MessageItem> }> =
  {
    id: 'messages.browse',
    method: 'GET',
    path: '/vhosts/{vhost}/queues/{queue}/messages',
    tag: 'messages',
    needs: 'read',
    summary: 'What is in a queue, the first to be delivered first; nothing is changed by looking.',
  }

export const getMessage: Route<{ params: MessageParams; query: PeekQuery; body: None; answer: MessageDetail }> = {
  id: 'messages.get',
  method: 'GET',
  path: '/vhosts/{vhost}/queues/{queue}/messages/{id}',
  tag: 'messages',
  needs: 'read',
  summary: 'One message with all its headers and its body.',
}

export const downloadBody: Route<{ params: MessageParams; query: None; body: None; answer: Uint8Array }> = {
  id: 'messages.body',
  method: 'GET',
  path: '/vhosts/{vhost}/queues/{queue}/messages/{id}/body',
  tag: 'messages',
  needs: 'read',
  summary: 'The bytes of a body.',
  contentType: 'application/octet-stream',
}

export const browseSession: Route<{
  params: VhostParams & { readonly clientId: string }
  query: BrowseQuery
  body: None
  answer: Page<MessageItem>
}> = {
  id: 'messages.browseSession',
  method: 'GET',
  path: '/vhosts/{vhost}/sessions/{clientId}/messages',
  tag: 'messages',
  needs: 'read',
  summary: 'What waits for the client of a session.',
}

export const actOnMessages: Route<{
  params: QueueParams
  query: { readonly waitMs?: number | undefined }
  body: ActionBody
  answer: OperationItem
}> = {
  id: 'messages.act',
  method: 'POST',
  path: '/vhosts/{vhost}/queues/{queue}/actions',
  tag: 'messages',
  needs: 'operate',
  summary: 'Moves, copies, deletes or retries messages: one, many, or all that a selector wants.',
  detail:
    'Answers when it is done, or after `waitMs` (2,000 when left out) with how far it has got; `operations` has it from then on. Whoever is no ' +
    'administrator needs `browse` of the queue where it shows what is in it, and `write` of the queues that messages go to. What cannot take ' +
    'messages now (full, gone, not allowed) makes it `stopped`; resumed, it does what is left.',
  status: 202,
}

export const listOperations: Route<{
  params: None
  query: None
  body: None
  answer: { readonly items: readonly OperationItem[] }
}> = {
  id: 'operations.list',
  method: 'GET',
  path: '/operations',
  tag: 'operations',
  needs: 'read',
  summary: 'Long work: what runs, the last hundred that ended, and what a restart cut off; the newest first.',
}

export const getOperation: Route<{
  params: { readonly id: string }
  query: { readonly waitMs?: number | undefined }
  body: None
  answer: OperationItem
}> = {
  id: 'operations.get',
  method: 'GET',
  path: '/operations/{id}',
  tag: 'operations',
  needs: 'read',
  summary: 'How far one has got; with `waitMs`, once it has ended or after so long.',
}

export const cancelOperation: Route<{
  params: { readonly id: string }
  query: None
  body: None
  answer: OperationItem
}> = {
  id: 'operations.cancel',
  method: 'POST',
  path: '/operations/{id}/cancel',
  tag: 'operations',
  needs: 'operate',
  summary: 'Stops one where it is; what is done stays done.',
}

export const resumeOperation: Route<{
  params: { readonly id: string }
  query: None
  body: None
  answer: OperationItem
}> = {
  id: 'operations.resume',
  method: 'POST',
  path: '/operations/{id}/resume',
  tag: 'operations',
  needs: 'operate',
  summary: 'Goes on with one that stopped, failed, was cancelled or was cut off, by the rights of whoever resumes it.',
}

export const listDeadLetters: Route<{
  params: VhostParams
  query: None
  body: None
  answer: { readonly items: readonly DeadLetterQueue[] }
}> = {
  id: 'deadLetters.list',
  method: 'GET',
  path: '/vhosts/{vhost}/dead-letters',
  tag: 'messages',
  needs: 'read',
  summary: 'Queues that hold what could not be delivered, with why and from where.',
}
