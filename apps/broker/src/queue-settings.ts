/** What the configuration says about queues, in the words of the core. Tells what was left out from what was set to nothing. */
import type { QueuePolicy, QueuesConfig } from '@ternmq/config'
import { DEFAULT_QUEUE_SETTINGS, type Policy, type QueueSettings } from '@ternmq/core'

type Given = QueuePolicy['settings']

const SECOND_MS = 1_000

/** Of each key in the configuration, what it means in the core. */
const MEANINGS: { readonly [K in keyof Given]-?: (value: NonNullable<Given[K]>) => Policy['settings'] } = {
  durability: (durability) => ({ durability }),
  messagesMax: (messagesMax) => ({ messagesMax }),
  bytesMax: (bytesMax) => ({ bytesMax }),
  whenFull: (whenFull) => ({ whenFull }),
  blockMaxSeconds: (seconds) => ({ blockMaxMs: seconds * SECOND_MS }),
  redelivery: ({ maxDeliveries, ...delays }) => ({
    redelivery: withoutUndefined({ deliveriesMax: maxDeliveries, ...delays }),
  }),
  deadLetter: (name) => ({ deadLetter: orNone(name) }),
  expiryTarget: (name) => ({ expiryTarget: orNone(name) }),
  ttlMs: (ttlMs) => ({ ttlMs }),
  ttlMaxMs: (ttlMaxMs) => ({ ttlMaxMs }),
  exclusive: (exclusive) => ({ exclusive }),
  lastValueKey: (name) => ({ lastValueKey: orNone(name) }),
  duplicateWindow: ({ count, seconds }) =>
    withoutUndefined({ duplicatesMax: count, duplicatesMs: seconds === undefined ? undefined : seconds * SECOND_MS }),
  groupBuckets: (groupsMax) => ({ groupsMax }),
  autoDelete: ({ afterSeconds }) =>
    withoutUndefined({ autoDeleteMs: afterSeconds === undefined ? undefined : afterSeconds * SECOND_MS }),
  slowConsumer: ({ afterSeconds, action }) =>
    withoutUndefined({
      slowConsumerMs: afterSeconds === undefined ? undefined : afterSeconds * SECOND_MS,
      slowConsumer: action,
    }),
  forward: ({ to, only }) => withoutUndefined({ forwardTo: to, forwardOnly: only }),
}

/** What holds for a queue that no policy matches. */
export function toQueueDefaults(queues: QueuesConfig): QueueSettings {
  return { ...DEFAULT_QUEUE_SETTINGS, ...(toCore(queues) as Partial<QueueSettings>) }
}

/** In the order of the configuration: of several that match the last one counts. */
export function toQueuePolicies(policies: readonly QueuePolicy[]): Policy[] {
  return policies.map(({ match, settings }) => ({ match, settings: toCore(settings) }))
}

function toCore(given: Given): Policy['settings'] {
  const meanings = Object.entries(MEANINGS) as [keyof Given, (value: unknown) => Policy['settings']][]
  const parts = meanings.map(([key, meaning]) => (given[key] === undefined ? {} : meaning(given[key])))
  return Object.assign({}, ...parts) as Policy['settings']
}

/** An empty name in the configuration. */
function orNone(name: string): string | undefined {
  return name === '' ? undefined : name
}

/** An undefined key would replace what other policies say. */
function withoutUndefined<T extends object>(part: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const given = Object.entries(part).filter(([, value]) => value !== undefined)
  return Object.fromEntries(given) as { [K in keyof T]?: Exclude<T[K], undefined> }
}
