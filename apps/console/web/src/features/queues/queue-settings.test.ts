import { expect, test } from 'vitest'
import { settingAt, withSetting } from './queue-settings.ts'

test('a key in a section is set beside the others of it', () => {
  const settings = withSetting({ redelivery: { delayMs: 5 } }, 'redelivery.jitter', 0.5)
  expect(settings).toEqual({ redelivery: { delayMs: 5, jitter: 0.5 } })
  expect(settingAt(settings, 'redelivery.jitter')).toBe(0.5)
})

test('a key that is taken out takes its empty section along', () => {
  expect(withSetting({ ttlMs: 1, redelivery: { delayMs: 5 } }, 'redelivery.delayMs', undefined)).toEqual({ ttlMs: 1 })
  expect(withSetting({ ttlMs: 1 }, 'ttlMs', undefined)).toEqual({})
})

test('what is not set is undefined, in a section too', () => {
  expect([settingAt({}, 'forward.to'), settingAt({}, 'ttlMs')]).toEqual([undefined, undefined])
})
