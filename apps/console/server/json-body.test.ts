import { ApiError, type ProblemMore } from '@ternmq/management'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseJson } from './json-body.ts'
import { BODY_BYTES_PER_TURN, BODY_DEPTH_MAX, OBJECT_FIELDS_MAX } from './limits.ts'

let pauseCount = 0
const read = (text: string, entriesMax = 100_000): Promise<unknown> =>
  parseJson(Buffer.from(text), entriesMax, async () => void pauseCount++)

/** Code and rule of the refusal. */
async function refusal(text: string, entriesMax?: number): Promise<readonly [code: string, rule: ProblemMore['rule']]> {
  try {
    await read(text, entriesMax)
  } catch (error) {
    if (error instanceof ApiError) return [error.code, error.more.rule]
    throw error
  }
  throw new Error('nothing was refused')
}

const fields = (count: number): string => `{${Array.from({ length: count }, (_, n) => `"k${n}":[]`).join(',')}}`
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

/** Entries as they are counted: of a list or object without any it is one, too. */
function entriesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const parts = Object.values(value)
  return parts.reduce((count: number, part) => count + entriesIn(part), Math.max(1, parts.length))
}

test('what is within the limits is what JSON.parse makes of it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.json({ maxDepth: 6 }), async (text) => {
      if (text.includes('__proto__')) return
      const value: unknown = JSON.parse(text)
      expect(await read(text, entriesIn(value))).toEqual(value)
    }),
  )
})

test('one entry more than allowed is refused, however they are spread', async () => {
  await fc.assert(
    fc.asyncProperty(fc.json({ maxDepth: 6 }), async (text) => {
      const count = entriesIn(JSON.parse(text))
      fc.pre(count > 0)
      expect((await refusal(text, count - 1))[0]).toBe('TOO_LARGE')
    }),
  )
})

test('an object has so many fields and no more, wherever it is', async () => {
  const two = `[${fields(OBJECT_FIELDS_MAX)},${fields(OBJECT_FIELDS_MAX)}]`
  expect(await read(two)).toHaveLength(2)
  expect(await refusal(`[[],${fields(OBJECT_FIELDS_MAX + 1)}]`)).toEqual([
    'TOO_LARGE',
    'up to 1000 fields of an object',
  ])
})

test('a field that comes again counts again', async () => {
  expect((await refusal(`{${'"a":1,'.repeat(OBJECT_FIELDS_MAX)}"a":1}`))[0]).toBe('TOO_LARGE')
})

test('lists and objects are so deep within one another and no deeper', async () => {
  expect(await read(nested(BODY_DEPTH_MAX))).toEqual(JSON.parse(nested(BODY_DEPTH_MAX)))
  expect(await refusal(nested(BODY_DEPTH_MAX + 1))).toEqual(['TOO_LARGE', 'up to 32 deep'])
  expect((await refusal('{"a":'.repeat(400_000)))[0]).toBe('TOO_LARGE')
})

test('punctuation in texts counts for nothing, over the ends of pieces either', async () => {
  const text = '[{,:\\"]}\u{1f600}'.repeat(BODY_BYTES_PER_TURN / 5)
  pauseCount = 0
  expect(await read(JSON.stringify({ text }), 1)).toEqual({ text })
  expect(pauseCount).toBeGreaterThan(1)
})

test.each(['', ' ', '{', ']', ']]]]{"a":1}', '"', '"\\', '{"a"}', ',,,', '\u0000'])('%j is no JSON', async (text) => {
  expect(await refusal(text)).toEqual(['INVALID', 'JSON in UTF-8'])
})
