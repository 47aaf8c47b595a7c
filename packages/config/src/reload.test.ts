import { expect, test } from 'vitest'
import { loadConfig } from './load.ts'
import { configChanges } from './reload.ts'
import type { BrokerConfig } from './types.ts'

function configOf(...sets: string[]): BrokerConfig {
  const result = loadConfig({ sets })
  if (!result.ok) throw new Error(result.errors.join('\n'))
  return result.config
}

test('what changed is listed with both values and with when it counts', () => {
  const before = configOf('mqtt.maxQos=1', 'log.level=info')
  const after = configOf(
    'mqtt.maxQos=2',
    'log.level=debug',
    'listeners.mqtt.port=0',
    'listeners.mqtts.tls.cert=/a',
    'listeners.mqtts.tls.key=/b',
  )
  expect(configChanges(before, after)).toEqual([
    { key: 'listeners.mqtt.port', reload: 'start', before: 1883, after: 0, isSecret: false },
    { key: 'listeners.mqtts.tls.cert', reload: 'connection', before: undefined, after: '/a', isSecret: false },
    { key: 'listeners.mqtts.tls.key', reload: 'connection', before: undefined, after: '/b', isSecret: false },
    { key: 'mqtt.maxQos', reload: 'connection', before: 1, after: 2, isSecret: false },
    { key: 'log.level', reload: 'live', before: 'info', after: 'debug', isSecret: false },
  ])
})

test('lists are compared by what is in them', () => {
  const rules = (topic: string): string => `auth.rules=[{"user":"a","allow":["read"],"topics":["${topic}"]}]`
  expect(configChanges(configOf(rules('x')), configOf(rules('x')))).toEqual([])
  expect(configChanges(configOf(rules('x')), configOf(rules('y'))).map(({ key }) => key)).toEqual(['auth.rules'])
})
