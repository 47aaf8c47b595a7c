/** Random addresses for property tests: every kind, with the characters that some protocol gives a meaning. */
import { ALL_BELOW, ONE_LEVEL, type PatternLevel } from '@ternmq/core'
import fc from 'fast-check'
import { addressKey, type Destination, type DestinationList, queueAddress, topicAddress } from '../src/address.ts'

/** Text of characters with a meaning somewhere, and of others. Never a surrogate alone. */
export function texts(without: string, lengths: { minLength?: number; maxLength?: number } = {}): fc.Arbitrary<string> {
  const special = [...'./*+>#,:?%$ &=\\\'"~@!()[];\n\t'].filter((char) => !without.includes(char))
  const words = ['consumer.', '?consumer.a=1', '::', '%2F', '%', '$temp', '$queue', 'queue', 'amq.topic', '..']
  const unit = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...special) },
    { weight: 4, arbitrary: fc.constantFrom('a', 'B', '1', 'é', '温', '😀') },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
    { weight: 1, arbitrary: fc.constantFrom(...words) },
  )
  return fc
    .array(unit, { maxLength: 8, ...lengths })
    .map((units) => [...units.join('')].filter((char) => char !== '\0' && !without.includes(char)).join(''))
    .filter((text) => text.length >= (lengths.minLength ?? 0))
}

/** Levels that a topic can have. */
export const level: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('', '*', '>', 'a', 'v1.2', '$temp', '$queue', '$SYS', '%2A'),
  texts('/+#'),
)

export const levels: fc.Arbitrary<string[]> = fc
  .array(level, { minLength: 1, maxLength: 6 })
  .filter((all) => !(all.length === 1 && all[0] === '') && !(all.length > 1 && all[0] === '$queue'))

export const patternLevels: fc.Arbitrary<PatternLevel[]> = fc
  .tuple(fc.array(fc.oneof(level, fc.constant(ONE_LEVEL)), { maxLength: 5 }), fc.constantFrom(ALL_BELOW, ONE_LEVEL))
  .map(([all, last]): PatternLevel[] => [...all, last])
  .filter((all) => all[0] !== '$queue')

export const queueName: fc.Arbitrary<string> = texts('', { minLength: 1, maxLength: 10 })

const temporaryId = fc.string({ unit: fc.constantFrom(...'0123456789abcdefXYZ_-'), minLength: 1, maxLength: 24 })

/** What every protocol but MQTT can write, whatever its name. */
export const listed: fc.Arbitrary<Destination> = fc.oneof(
  { weight: 3, arbitrary: levels.map(topicAddress) },
  { weight: 2, arbitrary: patternLevels.map(topicAddress) },
  { weight: 3, arbitrary: queueName.map(queueAddress) },
  { weight: 1, arbitrary: temporaryId.map((id): Destination => ({ kind: 'temp-queue', id })) },
  { weight: 1, arbitrary: temporaryId.map((id): Destination => ({ kind: 'temp-topic', id })) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('exchange' as const),
      exchange: texts('', { minLength: 1 }).filter((name) => name !== 'amq.topic'),
      key: fc.option(texts(''), { nil: undefined }),
    }),
  },
)

export const list: fc.Arbitrary<DestinationList> = fc
  .uniqueArray(
    listed.filter(({ kind }) => kind !== 'exchange'),
    { minLength: 2, maxLength: 6, selector: addressKey },
  )
  .map((parts) => ({ kind: 'list', parts }))
