import { expect, test } from 'vitest'

import { closeFrameText } from './close-codes.ts'

test('a short reason goes out as it is', () => {
  expect(closeFrameText('taken over')).toBe('taken over')
})

test.each(['x'.repeat(500), 'é'.repeat(100), '€'.repeat(100), '🙂'.repeat(60), `${'x'.repeat(122)}🙂`])(
  'a long reason is cut to 123 bytes at a character (%#)',
  (reason) => {
    const text = closeFrameText(reason)
    const byteCount = Buffer.byteLength(text)
    expect(byteCount).toBeLessThanOrEqual(123)
    expect(byteCount).toBeGreaterThanOrEqual(120)
    expect(reason.startsWith(text)).toBe(true)
  },
)
