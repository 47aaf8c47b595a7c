import { type BrokerConfig, type BrokerConfigInput, loadConfig, settings } from '@ternmq/config'
import { DEFAULT_QUEUE_SETTINGS, Policies } from '@ternmq/core'
import { AdapterWorld } from '@ternmq/testkit'
import { describe, expect, test } from 'vitest'
import {
  effectiveSettings,
  fromCoreSettings,
  QUEUE_SETTING_KEYS,
  toCoreSettings,
  toQueueDefaults,
  toQueuePolicies,
} from './queue-settings.ts'

function configOf(values: BrokerConfigInput): BrokerConfig {
  const loaded = loadConfig({ values })
  if (!loaded.ok) throw new Error(loaded.errors.join('\n'))
  return loaded.config
}

/** What holds for the queue `name`. */
function settingsFor(values: BrokerConfigInput, name: string): ReturnType<Policies['settingsFor']> {
  const { queues, policies } = configOf(values)
  const core = new Policies()
  core.use(toQueueDefaults(queues), toQueuePolicies(policies))
  return core.settingsFor(name)
}

test('without any setting a queue is as the core would have it, but for how long ids are remembered', () => {
  expect(settingsFor({}, 'a')).toEqual({ ...DEFAULT_QUEUE_SETTINGS, duplicatesMs: 600_000 })
})

test('every key of the queues section arrives', () => {
  const redelivery = { maxDeliveries: 3, delayMs: 4, multiplier: 1.5, delayMaxMs: 5, jitter: 0.5 }
  const queues = {
    durability: 'page-cache',
    messagesMax: 1,
    bytesMax: 2_048,
    whenFull: 'drop-oldest',
    blockMaxSeconds: 2,
    redelivery,
    deadLetter: 'dead',
    expiryTarget: 'late',
    ttlMs: 6,
    ttlMaxMs: 7,
    exclusive: true,
    lastValueKey: 'key',
    duplicateWindow: { count: 8, seconds: 9 },
    groupBuckets: 10,
    autoDelete: { afterSeconds: 11 },
    slowConsumer: { afterSeconds: 12, action: 'disconnect' },
    forward: { to: ['$queue/b', 'copies/a'], only: true },
  } as const
  expect(settingsFor({ queues }, 'a')).toEqual({
    durability: 'page-cache',
    messagesMax: 1,
    bytesMax: 2_048,
    whenFull: 'drop-oldest',
    blockMaxMs: 2_000,
    keepsAtMostOnce: true,
    exclusive: true,
    lastValueKey: 'key',
    redelivery: { deliveriesMax: 3, delayMs: 4, multiplier: 1.5, delayMaxMs: 5, jitter: 0.5 },
    deadLetter: 'dead',
    expiryTarget: 'late',
    ttlMs: 6,
    ttlMaxMs: 7,
    duplicatesMax: 8,
    duplicatesMs: 9_000,
    groupsMax: 10,
    autoDeleteMs: 11_000,
    slowConsumerMs: 12_000,
    slowConsumer: 'disconnect',
    forwardTo: ['$queue/b', 'copies/a'],
    forwardOnly: true,
  })
})

describe('of several policies', () => {
  const values: BrokerConfigInput = {
    queues: { deadLetter: 'dead', redelivery: { maxDeliveries: 3, delayMs: 5 } },
    policies: [
      { match: '>', settings: { whenFull: 'reject', ttlMs: 1 } },
      { match: 'orders.>', settings: { ttlMs: 2, redelivery: { delayMs: 7 }, duplicateWindow: { count: 9 } } },
      { match: 'orders.eu', settings: { ttlMs: 3, deadLetter: '', autoDelete: { afterSeconds: 60 } } },
    ],
  }

  test('the last one that matches and says something counts, key by key, also inside sections', () => {
    expect(settingsFor(values, 'orders.eu')).toMatchObject({
      whenFull: 'reject',
      ttlMs: 3,
      deadLetter: undefined,
      redelivery: { deliveriesMax: 3, delayMs: 7, multiplier: 1 },
      duplicatesMax: 9,
      duplicatesMs: 600_000,
      autoDeleteMs: 60_000,
    })
  })

  test('those that do not match count for nothing', () => {
    expect(settingsFor(values, 'bills')).toMatchObject({
      whenFull: 'reject',
      ttlMs: 1,
      deadLetter: 'dead',
      redelivery: { deliveriesMax: 3, delayMs: 5 },
      duplicatesMax: 0,
    })
  })

  test('`>` at the end means what stands before it, too', () => {
    expect(settingsFor(values, 'orders')).toMatchObject({ ttlMs: 2 })
  })
})

test('the table has every key of the queues section but the one that is no setting of a queue', () => {
  const keys = [...settings.keys()].filter((key) => key.startsWith('queues.')).map((key) => key.slice('queues.'.length))
  expect(QUEUE_SETTING_KEYS).toEqual(keys.filter((key) => key !== 'autoCreate'))
})

test('what the configuration says comes back as it was said', () => {
  const { queues } = configOf({ queues: { deadLetter: '', blockMaxSeconds: 3, forward: { to: ['a'] } } })
  expect({ ...fromCoreSettings(toCoreSettings(queues)), autoCreate: true }).toEqual(queues)
  const some = { deadLetter: '', redelivery: { jitter: 0.5 }, slowConsumer: { action: 'disconnect' } } as const
  expect(fromCoreSettings(toCoreSettings(some))).toEqual(some)
})

test('of each setting that counts its source is told: the queue, the last policy that matches, or nobody', () => {
  const { vhost } = new AdapterWorld()
  const { queues } = configOf({})
  const policies = [
    { id: 'config[0]', match: '>', settings: { ttlMs: 1, redelivery: { delayMs: 7 } } },
    { id: 'eu', match: 'orders.*', settings: { ttlMs: 2, deadLetter: '' } },
    { match: 'orders.eu', settings: { whenFull: 'reject' } },
    { id: 'bills', match: 'bills', settings: { messagesMax: 1 } },
  ] as const
  vhost.policies.use(toQueueDefaults(queues), toQueuePolicies(policies))
  const made = vhost.destinations.define({
    name: 'orders.eu',
    settings: toCoreSettings({ bytesMax: 2_048, redelivery: { jitter: 0.5 } }),
  })
  const effective = effectiveSettings(
    (made as { value: Parameters<typeof effectiveSettings>[0] }).value,
    vhost.policies,
  )
  const of = (key: string): unknown => effective.find((each) => each.key === key)
  expect(effective.map(({ key }) => key)).toEqual(QUEUE_SETTING_KEYS)
  expect(of('bytesMax')).toEqual({ key: 'bytesMax', value: 2_048, from: 'queue' })
  expect(of('redelivery.jitter')).toEqual({ key: 'redelivery.jitter', value: 0.5, from: 'queue' })
  expect(of('redelivery.delayMs')).toEqual({ key: 'redelivery.delayMs', value: 7, from: 'policy', policy: 'config[0]' })
  expect(of('ttlMs')).toEqual({ key: 'ttlMs', value: 2, from: 'policy', policy: 'eu' })
  expect(of('deadLetter')).toEqual({ key: 'deadLetter', value: '', from: 'policy', policy: 'eu' })
  expect(of('whenFull')).toEqual({ key: 'whenFull', value: 'reject', from: 'policy', policy: 'orders.eu' })
  expect(of('messagesMax')).toEqual({ key: 'messagesMax', value: 100_000_000, from: 'default' })
})
