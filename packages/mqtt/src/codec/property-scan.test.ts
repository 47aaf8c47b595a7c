import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ProtocolError } from './errors.ts'
import { data, props, text } from './packet-cases.ts'
import { readProperties, writeProperties } from './properties.ts'
import type { PropertyValues } from './property-table.ts'
import { copyEndToEnd, endToEndProperties, PublishProperties, scanPublishProperties } from './property-scan.ts'

const found = new PublishProperties()

/** Scans `block`, as it stands in a packet between other bytes. */
function scan(block: readonly number[], payload: readonly number[] = [0xde, 0xad]): Uint8Array {
  const bytes = Uint8Array.from([0x11, 0x22, ...block, ...payload])
  expect(scanPublishProperties(bytes, 2, bytes.length, found)).toBe(2 + block.length)
  return bytes
}

function refusal(block: readonly number[]): ProtocolError | undefined {
  try {
    scanPublishProperties(Uint8Array.from(block), 0, block.length, found)
  } catch (error) {
    if (error instanceof ProtocolError) return error
    throw error
  }
  return undefined
}

const EXPIRY = [0x02, 0x00, 0x00, 0x0e, 0x10]
const ALIAS = [0x23, 0x01, 0x02]
const CONTENT_TYPE = [0x03, ...text('text/plain')]
const USER = [0x26, ...text('k'), ...text('v')]

describe('properties of a PUBLISH from a client', () => {
  test('no properties: nothing is found and nothing kept', () => {
    const bytes = scan([0])
    expect(found).toMatchObject({ topicAlias: 0, messageExpirySeconds: -1, payloadFormat: 0, endToEndBytes: 0 })
    expect(endToEndProperties(bytes, found)).toHaveLength(0)
  })

  test('a PUBLISH has 2,048 user properties at most, and few others', () => {
    const users = Array.from({ length: 2_048 }, () => USER).flat()
    expect(refusal([...props([...users, ...CONTENT_TYPE, ...EXPIRY])])).toBeUndefined()
    expect(refusal([...props([...users, ...USER])])).toMatchObject({ reasonCode: 0x97, clause: 'MQTT5 §4.13.2' })
  })

  test('a scan forgets what the one before it found', () => {
    scan(props(EXPIRY, ALIAS, [0x01, 1]))
    expect(found).toMatchObject({ topicAlias: 0x102, messageExpirySeconds: 3_600, payloadFormat: 1, endToEndBytes: 2 })
    scan([0])
    expect(found).toMatchObject({
      topicAlias: 0,
      messageExpirySeconds: -1,
      payloadFormat: 0,
      topicAliasAt: -1,
      messageExpiryAt: -1,
    })
  })

  test('the largest expiry is a positive number', () => {
    scan(props([0x02, 0xff, 0xff, 0xff, 0xff]))
    expect(found.messageExpirySeconds).toBe(0xffff_ffff)
  })

  test.each([
    ['at the ends', [ALIAS, CONTENT_TYPE, USER, EXPIRY]],
    ['in the other order', [EXPIRY, CONTENT_TYPE, USER, ALIAS]],
    ['in the middle', [CONTENT_TYPE, EXPIRY, ALIAS, USER]],
    ['alone between the others', [CONTENT_TYPE, ALIAS, USER]],
    ['once', [EXPIRY, CONTENT_TYPE, USER]],
    ['not at all', [CONTENT_TYPE, USER]],
  ])('alias and expiry %s are cut out, the rest goes on in its order', (_where, parts) => {
    const bytes = scan(props(...parts))
    const kept = endToEndProperties(bytes, found)
    expect([...kept]).toEqual([...CONTENT_TYPE, ...USER])
    expect(found.endToEndBytes).toBe(kept.length)
    const target = new Uint8Array(kept.length + 4)
    expect(copyEndToEnd(bytes, found, target, 3)).toBe(3 + kept.length)
    expect(target.subarray(3, 3 + kept.length)).toEqual(kept)
  })

  test('whatever a client may send is found and passes through unchanged', () => {
    const values: fc.Arbitrary<PropertyValues> = fc.record(
      {
        payloadFormat: fc.constantFrom(0, 1),
        messageExpirySeconds: fc.integer({ min: 0, max: 0xffff_ffff }),
        contentType: fc.constantFrom('', 'a/b', 'x'.repeat(300)),
        responseTopic: fc.constantFrom('r', 'größe/r'),
        correlationData: fc.uint8Array({ maxLength: 300 }),
        topicAlias: fc.integer({ min: 1, max: 65_535 }),
        userProperties: fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom('', 'x')), { minLength: 1 }),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(values, (sent) => {
        const bytes = scan(props([...writeProperties(sent)]))
        expect(found.topicAlias).toBe(sent.topicAlias ?? 0)
        expect(found.messageExpirySeconds).toBe(sent.messageExpirySeconds ?? -1)
        expect(found.payloadFormat).toBe(sent.payloadFormat ?? 0)
        // toEqual does not tell an undefined property from an absent one.
        const kept = { ...sent, topicAlias: undefined, messageExpirySeconds: undefined }
        expect(readProperties(endToEndProperties(bytes, found))).toEqual(kept)
      }),
    )
  })

  test('what is kept has memory of its own', () => {
    const bytes = Buffer.from(scan(props(CONTENT_TYPE)))
    const kept = endToEndProperties(bytes, found)
    bytes.fill(0)
    expect([...kept]).toEqual(CONTENT_TYPE)
  })

  test.each([
    ['a packet that ends before the property length', [], 0x81, 'MQTT5-2.2.2-1'],
    ['a padded property length', [0x80, 0x00], 0x81, 'MQTT5-1.5.5-1'],
    ['a length beyond the packet', [0x05, 0x01], 0x81, 'MQTT5-2.2.2.2-a'],
    ['an alias of 0', props([0x23, 0, 0]), 0x94, 'MQTT5-3.3.2-8'],
    ['two aliases', props(ALIAS, ALIAS), 0x82, 'MQTT5-3.3.2.3.4-a'],
    ['two expiries', props(EXPIRY, EXPIRY), 0x82, 'MQTT5 §3.3.2.3.3'],
    ['two content types', props(CONTENT_TYPE, CONTENT_TYPE), 0x82, 'MQTT5-3.3.2.3.9-a'],
    ['a subscription identifier', props([0x0b, 1]), 0x82, 'MQTT5-3.3.4-6'],
    ['a payload format of 2', props([0x01, 2]), 0x82, 'MQTT5 §3.3.2.3.2'],
    ['a response topic with a wildcard', props([0x08, ...text('a/+')]), 0x82, 'MQTT5-3.3.2-14'],
    ['an empty response topic', props([0x08, ...text('')]), 0x82, 'MQTT5-4.7.3-1'],
    ['a content type that is not UTF-8', props([0x03, ...data(0xc3)]), 0x81, 'MQTT5-1.5.4-1'],
    ['a user property with U+0000', props([0x26, ...text('k'), ...text('\0')]), 0x81, 'MQTT5-1.5.4-2'],
    ['a user property without its value', props([0x26, ...text('k')]), 0x81, 'MQTT5-2.2.2.2-a'],
    ['a reason string', props([0x1f, ...text('r')]), 0x81, 'MQTT5-2.2.2.2-a'],
    ['an identifier in two bytes', props([0x81, 0x00, 0x00]), 0x81, 'MQTT5-2.2.2.2-a'],
  ])('%s is refused', (_name, block, reasonCode, clause) => {
    expect(refusal(block)).toMatchObject({ reasonCode, clause })
  })
})
