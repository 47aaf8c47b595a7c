import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ProtocolError } from './errors.ts'
import { checkProperties } from './property-check.ts'
import { PROPERTIES } from './property-table.ts'
import type { PropertyPlace, PropertySpec, PropertyValues } from './property-table.ts'
import { readProperties, readUserProperties, writeProperties } from './properties.ts'
import { text } from './packet-cases.ts'

/** Text without U+0000 and half surrogate pairs. */
const mqttText = fc.string({ unit: 'grapheme', maxLength: 20 }).filter((value) => !value.includes('\0'))
const topic = mqttText.map((value) => `t${value.replaceAll(/[+#]/g, '')}`)
const bytes = fc.uint8Array({ maxLength: 40 })

/** A value that `spec` may have. */
function valueOf(spec: PropertySpec): fc.Arbitrary<unknown> {
  const [min, max] = spec.range ?? [0, undefined]
  switch (spec.type) {
    case 'byte':
      return fc.integer({ min, max: max ?? 255 })
    case 'u16':
      return fc.integer({ min, max: max ?? 65_535 })
    case 'u32':
      return fc.integer({ min, max: max ?? 0xffff_ffff })
    case 'varint':
      return fc.array(fc.integer({ min, max: max! }), { minLength: 1, maxLength: spec.repeats === undefined ? 1 : 3 })
    case 'utf8':
      return spec.field === 'responseTopic' ? topic : mqttText
    case 'binary':
      return bytes
    case 'pair':
      return fc.array(fc.tuple(mqttText, mqttText), { minLength: 1, maxLength: 5 })
  }
}

/** Any sound set of properties for `place`. */
function valuesFor(place: PropertyPlace): fc.Arbitrary<PropertyValues> {
  const specs = PROPERTIES.filter((spec) => spec.places.includes(place))
  const fields = Object.fromEntries(specs.map((spec) => [spec.field, valueOf(spec)]))
  return fc.record(fields, { requiredKeys: [] }).map((values) => {
    const ids = values['subscriptionIds'] as number[] | undefined
    return place === 'SUBSCRIBE' && ids !== undefined ? { ...values, subscriptionIds: ids.slice(0, 1) } : values
  })
}

const PLACES = [...new Set(PROPERTIES.flatMap((spec) => spec.places))]

function thrown(f: () => unknown): ProtocolError | undefined {
  try {
    f()
  } catch (error) {
    if (error instanceof ProtocolError) return error
    throw error
  }
  return undefined
}

describe('the table of properties', () => {
  test('has the 27 of MQTT 5, each with its own number and field', () => {
    expect(PROPERTIES).toHaveLength(27)
    expect(new Set(PROPERTIES.map((spec) => spec.id)).size).toBe(27)
    expect(new Set(PROPERTIES.map((spec) => spec.field)).size).toBe(27)
    expect(PLACES).toHaveLength(14)
  })

  test('only user properties and the subscription identifiers of PUBLISH may stand twice', () => {
    const repeatable = PROPERTIES.filter((spec) => spec.repeats !== undefined)
    expect(repeatable.map((spec) => [spec.name, spec.repeats!.length])).toEqual([
      ['Subscription Identifier', 1],
      ['User Property', 14],
    ])
  })
})

describe('properties of any packet', () => {
  test.each(PLACES)('what is written for %s passes the check and is read back', (place) => {
    fc.assert(
      fc.property(valuesFor(place), (values) => {
        const block = writeProperties(values)
        checkProperties(block, 0, block.length, place)
        expect(readProperties(block)).toEqual(values)
      }),
      { numRuns: 60 },
    )
  })

  test.each(PLACES)(
    'every property is checked in %s: it belongs or is malformed, stands once or may repeat',
    (place) => {
      for (const spec of PROPERTIES) {
        const [sample] = fc.sample(valueOf(spec), { numRuns: 1, seed: 1 })
        const once = writeProperties({ [spec.field]: spec.type === 'varint' ? [7] : sample })
        const one = spec.type === 'pair' ? Uint8Array.from([0x26, ...text('k'), ...text('v')]) : once
        const first = thrown(() => checkProperties(one, 0, one.length, place))
        if (!spec.places.includes(place)) {
          expect(first, spec.name).toMatchObject({ reasonCode: 0x81, clause: 'MQTT5-2.2.2.2-a' })
          continue
        }
        expect(first, spec.name).toBeUndefined()
        const twice = Uint8Array.from([...one, ...one])
        const second = thrown(() => checkProperties(twice, 0, twice.length, place))
        if (spec.repeats?.includes(place) === true) expect(second, spec.name).toBeUndefined()
        else expect(second, spec.name).toMatchObject({ reasonCode: 0x82 })
      }
    },
  )

  test.each(PROPERTIES.filter((spec) => spec.range !== undefined))('$name outside its range is refused', (spec) => {
    const [min, max] = spec.range!
    const outside = [min - 1, max + 1].filter((value) => value >= 0 && value <= (spec.type === 'byte' ? 255 : 65_535))
    expect(outside.length).toBeGreaterThan(0)
    for (const value of outside) {
      const block = writeProperties({ [spec.field]: spec.type === 'varint' ? [value] : value })
      const error = thrown(() => checkProperties(block, 0, block.length, spec.places[0]!))
      expect(error).toMatchObject({
        reasonCode: spec.rangeCode ?? 0x82,
        clause: spec.rangeClause ?? spec.clause,
      })
    }
  })

  test('a block that ends inside a property is malformed', () => {
    fc.assert(
      fc.property(valuesFor('CONNACK'), fc.nat(), (values, at) => {
        const block = writeProperties(values)
        fc.pre(block.length > 0)
        // A cut between two properties leaves a shorter sound block; every other cut must be noticed.
        const end = at % block.length
        const error = thrown(() => checkProperties(block, 0, end, 'CONNACK'))
        if (error === undefined) expect(writeProperties(readProperties(block, 0, end)).length).toBe(end)
        else expect(error.reasonCode).toBe(0x81)
      }),
    )
  })

  test('user properties keep their order and their repeats, also with keys that objects treat specially', () => {
    const pairs = [
      ['2', 'a'],
      ['1', 'b'],
      ['__proto__', 'c'],
      ['2', ''],
      ['', 'd'],
      ['2', 'a'],
    ] as const
    const block = writeProperties({ contentType: 'x', userProperties: pairs })
    expect(readUserProperties(block, 0, block.length)).toEqual(pairs)
    expect(readProperties(block).userProperties).toEqual(pairs)
  })

  test('a value that two bytes of length cannot say is not written', () => {
    expect(() => writeProperties({ contentType: 'x'.repeat(65_536) })).toThrow(RangeError)
    expect(() => writeProperties({ userProperties: [['k', 'x'.repeat(65_536)]] })).toThrow(RangeError)
    expect(writeProperties({ contentType: 'x'.repeat(65_535) })).toHaveLength(65_538)
  })

  test('what is read does not share memory with the packet', () => {
    const block = Buffer.from(writeProperties({ correlationData: Uint8Array.of(1, 2, 3) }))
    const values = readProperties(block)
    block.fill(0)
    expect(values.correlationData).toEqual(Uint8Array.of(1, 2, 3))
  })
})
