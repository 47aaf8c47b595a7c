/**
 * What the configuration says about queues, in the words of the core, and back: one table for both. Tells what was left out from what was
 * set to nothing.
 */
import type { QueueSettingsInput, SettingSource } from '@ternmq/api'
import type { QueuePolicy, QueuesConfig } from '@ternmq/config'
import { DEFAULT_QUEUE_SETTINGS, type NamedQueue, type Policies, type Policy, type QueueSettings } from '@ternmq/core'

type CoreSettings = Policy['settings']

/** One setting: where it stands on either side, and what its value is there. */
interface Leaf {
  /** As in the configuration, below `queues`. */
  readonly key: string
  /** In the core. */
  readonly core: string
  readonly toCore: (value: unknown) => unknown
  readonly toConfig: (value: unknown) => unknown
}

const SECOND_MS = 1_000

const asItIs = (value: unknown): unknown => value
const toMs = (seconds: unknown): unknown => (seconds as number) * SECOND_MS
const toSeconds = (ms: unknown): unknown => (ms as number) / SECOND_MS
/** An empty name in the configuration. */
const orNone = (name: unknown): unknown => (name === '' ? undefined : name)
const orEmpty = (name: unknown): unknown => name ?? ''

/** In the order of the configuration. */
const LEAVES: readonly Leaf[] = [
  same('durability', 'durability'),
  same('messagesMax', 'messagesMax'),
  same('bytesMax', 'bytesMax'),
  same('whenFull', 'whenFull'),
  seconds('blockMaxSeconds', 'blockMaxMs'),
  same('redelivery.maxDeliveries', 'redelivery.deliveriesMax'),
  same('redelivery.delayMs', 'redelivery.delayMs'),
  same('redelivery.multiplier', 'redelivery.multiplier'),
  same('redelivery.delayMaxMs', 'redelivery.delayMaxMs'),
  same('redelivery.jitter', 'redelivery.jitter'),
  name('deadLetter', 'deadLetter'),
  name('expiryTarget', 'expiryTarget'),
  same('ttlMs', 'ttlMs'),
  same('ttlMaxMs', 'ttlMaxMs'),
  same('exclusive', 'exclusive'),
  name('lastValueKey', 'lastValueKey'),
  same('duplicateWindow.count', 'duplicatesMax'),
  seconds('duplicateWindow.seconds', 'duplicatesMs'),
  same('groupBuckets', 'groupsMax'),
  seconds('autoDelete.afterSeconds', 'autoDeleteMs'),
  seconds('slowConsumer.afterSeconds', 'slowConsumerMs'),
  same('slowConsumer.action', 'slowConsumer'),
  same('forward.to', 'forwardTo'),
  same('forward.only', 'forwardOnly'),
]

function same(key: string, core: keyof QueueSettings | `redelivery.${keyof QueueSettings['redelivery']}`): Leaf {
  return { key, core, toCore: asItIs, toConfig: asItIs }
}

function seconds(key: string, core: keyof QueueSettings): Leaf {
  return { key, core, toCore: toMs, toConfig: toSeconds }
}

function name(key: string, core: keyof QueueSettings): Leaf {
  return { key, core, toCore: orNone, toConfig: orEmpty }
}

/** Keys of settings of a queue, as the configuration has them below `queues`. */
export const QUEUE_SETTING_KEYS: readonly string[] = LEAVES.map(({ key }) => key)

/** What holds for a queue that no policy matches. */
export function toQueueDefaults(queues: QueuesConfig): QueueSettings {
  return { ...DEFAULT_QUEUE_SETTINGS, ...(toCoreSettings(queues) as Partial<QueueSettings>) }
}

/** In the given order: of several that match the last one counts. `id` is what operators call a policy. */
export function toQueuePolicies(policies: ReadonlyArray<QueuePolicy & { readonly id?: string }>): Policy[] {
  return policies.map(({ id, match, settings }) => ({
    ...(id !== undefined && { id }),
    match,
    settings: toCoreSettings(settings),
  }))
}

export function toCoreSettings(given: QueueSettingsInput): CoreSettings {
  const settings = {}
  for (const { key, core, toCore } of LEAVES) {
    const value = at(given, key)
    // An undefined key would replace what other policies say.
    if (value !== undefined) put(settings, core, toCore(value))
  }
  return settings
}

/** As the configuration would say it; only what is in `settings`. */
export function fromCoreSettings(settings: CoreSettings): QueueSettingsInput {
  const given = {}
  for (const { key, core, toConfig } of LEAVES) if (has(settings, core)) put(given, key, toConfig(at(settings, core)))
  return given
}

/** Every setting of a queue as it counts, and who says so: the queue itself, the last policy that matches, or nobody. */
export function effectiveSettings(
  { name: queueName, given, queue }: Pick<NamedQueue, 'name' | 'given' | 'queue'>,
  policies: Policies,
): SettingSource[] {
  const matching = policies.matching(queueName)
  return LEAVES.map(({ key, core, toConfig }) => {
    const value = toConfig(at(queue.settings, core))
    if (has(given, core)) return { key, value, from: 'queue' }
    const policy = matching.findLast(({ settings }) => has(settings, core))
    if (policy === undefined) return { key, value, from: 'default' }
    return { key, value, from: 'policy', policy: policy.id ?? policy.match }
  })
}

/** `path` has up to two names. */
function at(settings: object, path: string): unknown {
  const [first = '', second] = path.split('.')
  const value = (settings as Readonly<Record<string, unknown>>)[first]
  return second === undefined ? value : (value as Readonly<Record<string, unknown>> | undefined)?.[second]
}

function has(settings: object, path: string): boolean {
  const [first = '', second] = path.split('.')
  if (!Object.hasOwn(settings, first)) return false
  return second === undefined || Object.hasOwn((settings as Readonly<Record<string, object>>)[first]!, second)
}

function put(settings: object, path: string, value: unknown): void {
  const [first = '', second] = path.split('.')
  const target = settings as Record<string, unknown>
  if (second === undefined) target[first] = value
  else target[first] = { ...(target[first] as object | undefined), [second]: value }
}
