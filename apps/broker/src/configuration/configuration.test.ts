import { type BrokerConfigInput, loadConfig } from '@ternmq/config'
import { expect, test } from 'vitest'

import { Configuration, type LoadWith } from './configuration.ts'
import { silentLog } from '../reports/log.ts'

function given(values: BrokerConfigInput): LoadWith {
  return (overrides) => loadConfig({ values, overrides })
}

const take = (): Promise<void> => Promise.resolve()

test('what was changed while the broker ran goes over what was given, and over what is given later', async () => {
  const configuration = new Configuration(given({ mqtt: { maxQos: 1 } }), silentLog)
  await configuration.change({ overrides: new Map([['mqtt.maxQos', 0]]) }, take)
  expect(configuration.config.mqtt.maxQos).toBe(0)
  await configuration.change({ load: given({ mqtt: { maxQos: 2, topicAliasMax: 5 } }) }, take)
  expect(configuration.config.mqtt).toMatchObject({ maxQos: 0, topicAliasMax: 5 })
  expect(configuration.sources.get('mqtt.maxQos')).toMatchObject({ kind: 'api' })
  await configuration.change({ overrides: new Map() }, take)
  expect(configuration.config.mqtt.maxQos).toBe(2)
})

test('what needs a new start does not count, and is told apart', async () => {
  const configuration = new Configuration(given({}), silentLog)
  const { waiting, applied } = await configuration.change(
    {
      overrides: new Map<string, unknown>([
        ['log.format', 'pretty'],
        ['mqtt.maxQos', 0],
      ]),
    },
    take,
  )
  expect([waiting, applied].map((changes) => changes.map(({ key }) => key))).toEqual([['log.format'], ['mqtt.maxQos']])
  expect(configuration.config.log.format).toBe('json')
})

test('before anything goes by it, what needs a new start counts too', () => {
  const configuration = new Configuration(given({}), silentLog)
  configuration.begin(new Map([['log.format', 'pretty']]))
  expect(configuration.config.log.format).toBe('pretty')
})

test('a change that is refused leaves everything as it was', async () => {
  const configuration = new Configuration(given({}), silentLog)
  const { config } = configuration
  await expect(configuration.change({ overrides: new Map([['mqtt.maxQos', 9]]) }, take)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  })
  const refuse = (): Promise<void> => Promise.reject(new Error('no'))
  await expect(configuration.change({ overrides: new Map([['mqtt.maxQos', 0]]) }, refuse)).rejects.toThrow('no')
  expect(configuration.config).toBe(config)
})

test.each(['dataDir', 'store.engine'])('%s, where changes are kept, cannot be changed', async (key) => {
  const configuration = new Configuration(given({}), silentLog)
  await expect(configuration.change({ overrides: new Map([[key, 'memory']]) }, take)).rejects.toThrow(
    `${key} cannot be changed while the broker runs`,
  )
})
