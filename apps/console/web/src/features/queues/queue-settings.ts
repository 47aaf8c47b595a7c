/** The settings of queues as fields of a form: what they mean stands in the configuration's reference too. */
import type { QueueSettingsInput } from '@ternmq/api'

export type SettingKind = 'count' | 'number' | 'text' | 'switch' | 'choice' | 'list'

export interface QueueSetting {
  /** `redelivery.delayMs`. */
  readonly key: string
  readonly label: string
  readonly about: string
  readonly kind: SettingKind
  readonly options?: readonly string[]
  /** What an empty text means, which an empty field cannot say: that leaves the setting as it is. */
  readonly none?: string
}

export const QUEUE_SETTINGS: readonly QueueSetting[] = [
  {
    key: 'durability',
    label: 'Durability',
    about: 'What an acknowledged persistent message survives.',
    kind: 'choice',
    options: ['fsync-local', 'page-cache', 'memory'],
  },
  { key: 'messagesMax', label: 'Messages at most', about: 'Beyond it the queue is full.', kind: 'count' },
  { key: 'bytesMax', label: 'Bytes at most', about: 'Beyond it the queue is full.', kind: 'count' },
  {
    key: 'whenFull',
    label: 'When it is full',
    about: 'What becomes of a new message.',
    kind: 'choice',
    options: ['block', 'reject', 'drop-oldest'],
  },
  { key: 'blockMaxSeconds', label: 'Block at most (s)', about: 'How long a publisher waits for room.', kind: 'count' },
  {
    key: 'redelivery.maxDeliveries',
    label: 'Deliveries at most',
    about: 'Then the message is a dead letter. 0: no limit.',
    kind: 'count',
  },
  { key: 'redelivery.delayMs', label: 'Delay before the next delivery (ms)', about: '0: at once.', kind: 'count' },
  {
    key: 'redelivery.multiplier',
    label: 'Delay multiplier',
    about: 'Each further delay is so many times the one before.',
    kind: 'number',
  },
  { key: 'redelivery.delayMaxMs', label: 'Longest delay (ms)', about: 'Delays do not grow beyond it.', kind: 'count' },
  {
    key: 'redelivery.jitter',
    label: 'Jitter',
    about: 'Share of each delay that chance may take away, 0 to 1.',
    kind: 'number',
  },
  {
    key: 'deadLetter',
    label: 'Dead letters go to',
    about: 'A queue.',
    none: 'nowhere: they are dropped, and counted',
    kind: 'text',
  },
  {
    key: 'expiryTarget',
    label: 'Expired messages go to',
    about: 'A queue.',
    none: 'nowhere: they are dropped, and counted',
    kind: 'text',
  },
  { key: 'ttlMs', label: 'Time to live (ms)', about: 'Of messages that bring none. 0: for ever.', kind: 'count' },
  { key: 'ttlMaxMs', label: 'Longest time to live (ms)', about: 'Longer ones are cut. 0: no limit.', kind: 'count' },
  { key: 'exclusive', label: 'One consumer at a time', about: 'The next one takes over when it goes.', kind: 'switch' },
  {
    key: 'lastValueKey',
    label: 'Last value by',
    about: 'Message property: of each of its values only the last message waits.',
    none: 'none: all of them wait',
    kind: 'text',
  },
  {
    key: 'duplicateWindow.count',
    label: 'Message ids remembered',
    about: 'To find duplicates. 0: none are looked for.',
    kind: 'count',
  },
  {
    key: 'duplicateWindow.seconds',
    label: 'Remembered for (s)',
    about: 'How long a message id is known.',
    kind: 'count',
  },
  {
    key: 'groupBuckets',
    label: 'Message groups told apart',
    about: 'Beyond it several share a consumer.',
    kind: 'count',
  },
  {
    key: 'autoDelete.afterSeconds',
    label: 'Goes after (s)',
    about: 'Without messages and consumers, when it was made by being used. 0: it stays.',
    kind: 'count',
  },
  {
    key: 'slowConsumer.afterSeconds',
    label: 'A consumer is slow after (s)',
    about: 'Without taking a byte while messages wait. 0: nobody looks.',
    kind: 'count',
  },
  {
    key: 'slowConsumer.action',
    label: 'Slow consumers are',
    about: 'Reported only, or disconnected.',
    kind: 'choice',
    options: ['report', 'disconnect'],
  },
  { key: 'forward.to', label: 'Copies go to', about: 'Addresses: $queue/NAME, or a topic.', kind: 'list' },
  { key: 'forward.only', label: 'Copies only', about: 'Messages do not go into the queue itself.', kind: 'switch' },
]

/** Value of a key with dots in it. */
export function settingAt(settings: QueueSettingsInput, key: string): unknown {
  let value: unknown = settings
  for (const part of key.split('.')) value = (value as Record<string, unknown> | undefined)?.[part]
  return value
}

/** With one key changed; `undefined` takes it out, and the section around it when that was its last. */
export function withSetting(settings: QueueSettingsInput, key: string, value: unknown): QueueSettingsInput {
  const [section, name] = key.split('.') as [string, string?]
  const all: Record<string, unknown> = { ...settings }
  if (name === undefined) all[section] = value
  else {
    const inner = Object.entries({ ...(all[section] as object | undefined), [name]: value }).filter(
      ([, each]) => each !== undefined,
    )
    all[section] = inner.length === 0 ? undefined : Object.fromEntries(inner)
  }
  return Object.fromEntries(Object.entries(all).filter(([, each]) => each !== undefined))
}
