/** Publish and take over HTTP, for scripts. Addresses are texts as `ternmq resolve --protocol rest` reads them: `queue://orders`, `topic://a.b`. */
import type { VhostParams } from '../page.ts'
import type { None, Route } from '../route.ts'
import type { MessageBody, MessageItem } from './messages.ts'

export interface PublishBody {
  readonly address: string
  readonly body: string
  /** How `body` is written here: `text` when left out. */
  readonly encoding?: 'text' | 'base64' | undefined
  readonly contentType?: string | undefined
  readonly contentEncoding?: string | undefined
  /** True when left out. */
  readonly durable?: boolean | undefined
  readonly priority?: number | undefined
  readonly ttlMs?: number | undefined
  readonly delayMs?: number | undefined
  readonly retain?: boolean | undefined
  readonly messageId?: string | undefined
  /** A text; `base64:` and bytes in base64 for what is none. */
  readonly correlationId?: string | undefined
  /** An address as `address` is written. */
  readonly replyTo?: string | undefined
  readonly type?: string | undefined
  readonly groupId?: string | undefined
  /** Application that publishes it. */
  readonly appId?: string | undefined
  /** `_AMQ_DUPL_ID` among them: a queue that remembers ids takes one message of each. */
  readonly properties?: Readonly<Record<string, string>> | undefined
}

export interface Published {
  /** `unmatched`: nobody wanted it. It is answered when the message is as safe as its queue promises. */
  readonly outcome: 'routed' | 'unmatched'
}

export interface TakeBody {
  readonly address: string
  /** 1 when left out. */
  readonly max?: number | undefined
  /** How long to wait for the first; 0 when left out. */
  readonly waitMs?: number | undefined
  /** How long they are kept for whoever took them; 30,000 when left out. Then they go back. */
  readonly lockMs?: number | undefined
  readonly selector?: string | undefined
  /** Settled as they are handed out: at most once. */
  readonly autoSettle?: boolean | undefined
}

/** Its `replyTo` is written as `publish` takes it. */
export interface TakenMessage extends Omit<MessageItem, 'id' | 'state'> {
  /** For `settle`; '' for one that is settled: with `autoSettle`, or published at most once. */
  readonly delivery: string
  readonly properties: ReadonlyArray<readonly [key: string, value: string]>
  readonly body: MessageBody
  /** 0 for one that is settled. */
  readonly lockedUntilMs: number
}

export interface SettleBody {
  readonly deliveries: readonly string[]
  /** `modified`: a failed attempt that counts. `extend` keeps the lock for another `lockMs`. */
  readonly outcome: 'accepted' | 'rejected' | 'released' | 'modified' | 'extend'
  /** Of `rejected`: it stays with the dead letter. */
  readonly reason?: string | undefined
}

export interface Settled {
  readonly settledCount: number
  /** Those that went back before, or never were. */
  readonly unknown: readonly string[]
}

export const publishMessage: Route<{ params: VhostParams; query: None; body: PublishBody; answer: Published }> = {
  id: 'messaging.publish',
  method: 'POST',
  path: '/vhosts/{vhost}/publish',
  tag: 'messaging',
  needs: 'messages',
  summary: 'Publishes a message to a queue or topic.',
  detail:
    'The headers `traceparent` and `tracestate` of the call become properties of the message, unless its properties have a `traceparent`.',
}

export const takeMessages: Route<{
  params: VhostParams
  query: None
  body: TakeBody
  answer: { readonly items: readonly TakenMessage[] }
}> = {
  id: 'messaging.take',
  method: 'POST',
  path: '/vhosts/{vhost}/take',
  tag: 'messaging',
  needs: 'messages',
  summary: 'Takes messages from a queue and keeps them for the caller until they are settled.',
}

export const settleMessages: Route<{ params: VhostParams; query: None; body: SettleBody; answer: Settled }> = {
  id: 'messaging.settle',
  method: 'POST',
  path: '/vhosts/{vhost}/settle',
  tag: 'messaging',
  needs: 'messages',
  summary: 'Says what became of messages that were taken.',
}

export const subscribeEvents: Route<{
  params: VhostParams
  query: { readonly address: string }
  body: None
  answer: None
}> = {
  id: 'messaging.subscribe',
  method: 'GET',
  path: '/vhosts/{vhost}/subscribe',
  tag: 'messaging',
  needs: 'messages',
  summary: 'What is published to a topic from now on, as server-sent events; at most once.',
  contentType: 'text/event-stream',
}
