import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inTurns, isLong, jsonPieces } from './json-pieces.ts'
import { LIST_ITEMS_PER_TURN } from './limits.ts'

const long = (count: number): object[] =>
  Array.from({ length: count }, (_, index) => ({ name: `q${index}`, left: undefined }))

test('the pieces of any answer are together what JSON.stringify makes of it', () => {
  const value = fc.oneof(fc.jsonValue(), fc.constant(undefined), fc.array(fc.jsonValue()))
  fc.assert(
    fc.property(fc.dictionary(fc.string(), value), (answer) => {
      expect([...jsonPieces(answer)].join('')).toBe(JSON.stringify(answer))
    }),
  )
})

test('a very long list is written so many items at a time', () => {
  const answer = { version: 1, users: [], none: undefined, queues: long(2 * LIST_ITEMS_PER_TURN + 1), next: 'x' }
  const pieces = [...jsonPieces(answer)]
  expect(pieces.join('')).toBe(JSON.stringify(answer))
  expect(Math.max(...pieces.map((piece) => piece.split('"name"').length - 1))).toBe(LIST_ITEMS_PER_TURN)
})

test('only an object with such a list is long', () => {
  expect([long(LIST_ITEMS_PER_TURN + 1), { items: long(LIST_ITEMS_PER_TURN) }, null, 'x', undefined].some(isLong)).toBe(
    false,
  )
  expect(isLong({ total: 1, items: long(LIST_ITEMS_PER_TURN + 1) })).toBe(true)
})

test('others have their turn after each piece', async () => {
  const order: string[] = []
  for await (const piece of inTurns(['a', 'b'], async () => void order.push('pause'))) order.push(piece)
  expect(order).toEqual(['a', 'pause', 'b', 'pause'])
})
