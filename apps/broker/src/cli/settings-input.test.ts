import { expect, test } from 'vitest'
import { settingsText, withSettings } from './settings-input.ts'

test('settings are laid over those that there are, sections and all', () => {
  const before = { messagesMax: 5, redelivery: { delayMs: 1 } }
  const after = withSettings(before, [
    'redelivery.maxDeliveries=3',
    'whenFull=reject',
    'exclusive=true',
    'deadLetter=""',
  ])
  expect(after).toEqual({
    messagesMax: 5,
    redelivery: { delayMs: 1, maxDeliveries: 3 },
    whenFull: 'reject',
    exclusive: true,
    deadLetter: '',
  })
  expect(before).toEqual({ messagesMax: 5, redelivery: { delayMs: 1 } })
})

test('without a value a setting is taken back, and so is its section when it was the last', () => {
  expect(withSettings({ messagesMax: 5, redelivery: { delayMs: 1 } }, ['redelivery.delayMs='])).toEqual({
    messagesMax: 5,
  })
})

test('settings are shown as they are written', () => {
  expect(settingsText({ messagesMax: 5, redelivery: { delayMs: 1 }, whenFull: 'reject', deadLetter: '' })).toBe(
    'messagesMax=5, redelivery.delayMs=1, whenFull=reject, deadLetter=""',
  )
})

test('what is no pair is refused', () => {
  expect(() => withSettings({}, ['messagesMax'])).toThrow("'messagesMax' is no setting; it is written KEY=VALUE")
})
