import { type BrokerConfig, type BrokerConfigInput, loadConfig } from '@ternmq/config'
import { expect, test } from 'vitest'

import { reloadOf } from './reload.ts'

function configOf(values: BrokerConfigInput): BrokerConfig {
  const loaded = loadConfig({ values })
  if (!loaded.ok) throw new Error(loaded.errors.join())
  return loaded.config
}

test('what can change while the broker runs is taken, the rest waits and keeps its old value', () => {
  const before = configOf({})
  const after = configOf({
    mqtt: { maxPacketBytes: 2_048, sysTopicsIntervalSeconds: 1 },
    listeners: {
      mqtt: { port: 1_999, maxConnections: 7, authentication: { anonymous: false } },
      wss: { tls: { minVersion: 'TLSv1.3' } },
    },
  })
  const { config, applied, waiting } = reloadOf(before, after)
  expect(applied.map(({ key }) => key)).toEqual([
    'listeners.mqtt.maxConnections',
    'listeners.mqtt.authentication.anonymous',
    'mqtt.maxPacketBytes',
    'mqtt.sysTopicsIntervalSeconds',
  ])
  expect(waiting.map(({ key }) => key)).toEqual(['listeners.mqtt.port', 'listeners.wss.tls.minVersion'])
  expect(config.listeners.mqtt).toEqual({
    ...before.listeners.mqtt,
    maxConnections: 7,
    authentication: { anonymous: false },
  })
  expect(config.mqtt.maxPacketBytes).toBe(2_048)
})

test('a configuration that has not changed changes nothing', () => {
  const config = configOf({ auth: { rules: [{ user: '*', allow: ['read'], deny: [], topics: ['#'] }] } })
  const reloaded = reloadOf(config, configOf({ auth: config.auth }))
  expect(reloaded).toEqual({ config, applied: [], waiting: [] })
})
