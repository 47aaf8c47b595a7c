import { expect, test } from 'vitest'
import { AmqpSymbol, type Value } from './codec/values.ts'
import { detailOf } from './outcomes.ts'

function left(annotations: readonly (readonly [string, Value])[]): unknown {
  return detailOf({ kind: 'modified', deliveryFailed: true, undeliverableHere: false, annotations: new Map(annotations) })
}

test('annotations that a receiver leaves are kept as texts and numbers', () => {
  expect(left([['x-opt-try', 3], ['x-opt-why', 'busy'], ['x-opt-who', new AmqpSymbol('me')], ['x-opt-late', true]])).toEqual({
    deliveryFailed: true,
    undeliverableHere: false,
    annotations: { 'x-opt-try': 3, 'x-opt-why': 'busy', 'x-opt-who': 'me', 'x-opt-late': 'true' },
  })
})

test.each(['x-opt-death-cause', 'x-opt-ORIG-QUEUE', 'x-opt-jms-dest', 'x-opt-retained', 'cause', '__proto__'])('nobody says %s in the stead of the broker', (name) => {
  expect(left([[name, 'x']])).toEqual({ deliveryFailed: true, undeliverableHere: false })
})

test('there is a limit to their number and length', () => {
  expect(left([['x-opt-long', 'x'.repeat(2_000)]])).toEqual({ deliveryFailed: true, undeliverableHere: false })
  const many = left(Array.from({ length: 100 }, (_, index) => [`x-opt-${index}`, index] as const)) as { annotations: object }
  expect(Object.keys(many.annotations)).toHaveLength(32)
})

test('why a message was rejected is told with the condition', () => {
  expect(detailOf({ kind: 'rejected', error: { condition: 'app:bad', description: 'no such order' } })).toEqual({ reason: 'app:bad: no such order' })
  expect(detailOf({ kind: 'rejected', error: undefined })).toBeUndefined()
  expect(detailOf({ kind: 'released' })).toBeUndefined()
})
