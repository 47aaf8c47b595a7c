/** Values of AMQP's types by chance, and what they are when they were written and read again. */
import fc from 'fast-check'

import { AmqpSymbol, type Value } from '../src/codec/values.ts'

const ascii = fc.string({ unit: fc.constantFrom(...'abcXYZ019 _-.:/~\u0000'), maxLength: 12 })
const text = fc.string({ unit: 'grapheme', maxLength: 12 }).map((each) => each.toWellFormed())
const longText = fc.constantFrom('x'.repeat(255), 'x'.repeat(256), 'ä'.repeat(200))

const scalar: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).filter((each) => !Number.isSafeInteger(Number(each))),
  text,
  longText,
  fc.constantFrom('__proto__', 'constructor', 'hasOwnProperty'),
  ascii.map((each) => new AmqpSymbol(each)),
  fc.uint8Array({ maxLength: 300 }),
  fc.date({ noInvalidDate: true }),
)

export const anyValue: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .array(fc.tuple(fc.oneof(text, fc.integer()), tie('value')), { maxLength: 5 })
      .map((pairs) => new Map<Value, Value>(pairs)),
    fc.record({
      descriptor: fc.oneof(ascii, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
      value: tie('value'),
    }),
  ),
})).value

/** A map with texts as keys, as performatives have them. */
export const anyFields: fc.Arbitrary<ReadonlyMap<string, Value>> = fc
  .array(fc.tuple(fc.oneof(ascii, fc.constant('__proto__')), anyValue), { maxLength: 4 })
  .map((pairs) => new Map(pairs))
