import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkExposure } from './listener-rules.ts'
import { loadConfig } from './load.ts'

const folder = join(import.meta.dirname, '..', '..', '..', 'examples', 'config')

test('the example file is accepted without errors and warnings', () => {
  expect(loadConfig({ file: 'ternmq.yaml', cwd: folder })).toMatchObject({
    ok: true,
    warnings: [],
    config: {
      dataDir: '/var/lib/ternmq',
      listeners: {
        mqtts: { host: '0.0.0.0', tls: { cert: join(folder, 'tls', 'server.pem') } },
        stomp: { profile: 'rabbitmq' },
        amqps: { enabled: false },
        ws: { enabled: false },
      },
    },
  })
})

test('the example needs the user that its first lines tell to add', () => {
  const result = loadConfig({ file: 'ternmq.yaml', cwd: folder })
  expect(result.ok && checkExposure(result.config, { userCount: 0 })).toHaveLength(3)
  expect(result.ok && checkExposure(result.config, { userCount: 1 })).toEqual([])
})
