/** For property tests: messages as a client might encode them, every type in every form, byte by byte and without any of our own writers. */
import fc from 'fast-check'
import { Descriptor } from '../src/codec/descriptors.ts'
import { Code } from '../src/codec/type-codes.ts'

export type Encoded = readonly number[]

function bytesOf(text: string): number[] {
  return [...Buffer.from(text)]
}

function uint32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]
}

/** With a size of one byte where it fits and `isShort`. */
function sized(short: number, long: number, content: readonly number[], isShort: boolean): number[] {
  return isShort && content.length <= 0xff
    ? [short, content.length, ...content]
    : [long, ...uint32(content.length), ...content]
}

export function string(text: string, isShort = true): number[] {
  return sized(Code.string8, Code.string32, bytesOf(text), isShort)
}

export function symbol(text: string, isShort = true): number[] {
  return sized(Code.symbol8, Code.symbol32, bytesOf(text), isShort)
}

export function binary(content: readonly number[], isShort = true): number[] {
  return sized(Code.binary8, Code.binary32, content, isShort)
}

function compound(short: number, long: number, items: readonly Encoded[], isShort: boolean): number[] {
  const content = items.flat()
  return isShort && content.length < 0xff && items.length <= 0xff
    ? [short, content.length + 1, items.length, ...content]
    : [long, ...uint32(content.length + 4), ...uint32(items.length), ...content]
}

export function list(items: readonly Encoded[], isShort = true): number[] {
  return compound(Code.list8, Code.list32, items, isShort)
}

/** Keys and values in turn. */
export function map(items: readonly Encoded[], isShort = true): number[] {
  return compound(Code.map8, Code.map32, items, isShort)
}

/** A section, its descriptor in the usual form. */
export function section(code: number, value: Encoded): number[] {
  return [Code.described, Code.smallUlong, code, ...value]
}

const isShort = fc.boolean()
const words = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 12 }), fc.string({ maxLength: 90 }))
const ascii = fc.string({
  unit: fc.integer({ min: 0, max: 0x7f }).map((code) => String.fromCharCode(code)),
  maxLength: 80,
})
const octets = (count: number): fc.Arbitrary<number[]> => fc.array(fc.nat(255), { minLength: count, maxLength: count })

const anyString: fc.Arbitrary<Encoded> = fc.tuple(words, isShort).map(([text, short]) => string(text, short))
const anySymbol: fc.Arbitrary<Encoded> = fc.tuple(ascii, isShort).map(([text, short]) => symbol(text, short))
const anyBinary: fc.Arbitrary<Encoded> = fc
  .tuple(fc.array(fc.nat(255), { maxLength: 300 }), isShort)
  .map(([content, short]) => binary(content, short))
const anyUint: fc.Arbitrary<Encoded> = fc.oneof(
  fc.constant([Code.uint0]),
  octets(1).map((content) => [Code.smallUint, ...content]),
  octets(4).map((content) => [Code.uint, ...content]),
)
const anyUlong: fc.Arbitrary<Encoded> = fc.oneof(
  fc.constant([Code.ulong0]),
  octets(1).map((content) => [Code.smallUlong, ...content]),
  octets(8).map((content) => [Code.ulong, ...content]),
)
const anyBoolean: fc.Arbitrary<Encoded> = fc.constantFrom(
  [Code.true],
  [Code.false],
  [Code.boolean, 0],
  [Code.boolean, 1],
)
const anyUuid: fc.Arbitrary<Encoded> = octets(16).map((content) => [Code.uuid, ...content])
const anyTimestamp: fc.Arbitrary<Encoded> = fc
  .oneof(octets(8), fc.constant([0, 0, 1, 0x8b, 0xcf, 0xe5, 0x68, 0]))
  .map((content) => [Code.timestamp, ...content])

const FIXED: ReadonlyArray<readonly [code: number, width: number]> = [
  [Code.ubyte, 1],
  [Code.byte, 1],
  [Code.smallInt, 1],
  [Code.smallLong, 1],
  [Code.ushort, 2],
  [Code.short, 2],
  [Code.int, 4],
  [Code.float, 4],
  [Code.decimal32, 4],
  [Code.long, 8],
  [Code.double, 8],
  [Code.decimal64, 8],
  [Code.decimal128, 16],
]

const simple: fc.Arbitrary<Encoded> = fc.oneof(
  fc.constant([Code.null]),
  anyBoolean,
  anyUint,
  anyUlong,
  anyUuid,
  anyTimestamp,
  anyString,
  anySymbol,
  anyBinary,
  fc.constantFrom(...FIXED).chain(([code, width]) => octets(width).map((content) => [code, ...content])),
  fc.constantFrom('a', 'ä', '🦉', '\0').map((char) => [Code.char, ...uint32(char.codePointAt(0)!)]),
)

const array: fc.Arbitrary<Encoded> = fc.oneof(
  fc.tuple(fc.array(octets(4), { maxLength: 4 }), isShort).map(([items, short]) => arrayOf([Code.int], items, short)),
  fc.tuple(fc.array(ascii, { maxLength: 3 }), isShort).map(([items, short]) =>
    arrayOf(
      [Code.symbol8],
      items.map((text) => symbol(text).slice(1)),
      short,
    ),
  ),
  fc.nat(9).map((count) =>
    arrayOf(
      [Code.true],
      Array.from({ length: count }, () => []),
      true,
    ),
  ),
  fc.array(fc.array(simple, { maxLength: 2 }), { maxLength: 3 }).map((lists) =>
    arrayOf(
      [Code.list32],
      lists.map((items) => list(items, false).slice(1)),
      false,
    ),
  ),
)

function arrayOf(constructor: Encoded, items: readonly Encoded[], short: boolean): number[] {
  const content = [...constructor, ...items.flat()]
  return short && content.length < 0xff
    ? [Code.array8, content.length + 1, items.length, ...content]
    : [Code.array32, ...uint32(content.length + 4), ...uint32(items.length), ...content]
}

/** A value of any type, nested now and then. */
export const anyValue: fc.Arbitrary<Encoded> = fc.letrec<{ value: Encoded; items: Encoded[] }>((tie) => ({
  items: fc.array(tie('value'), { maxLength: 4 }),
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    simple,
    fc.constant([Code.list0]),
    fc.tuple(tie('items'), isShort).map(([items, short]) => list(items, short)),
    fc.tuple(tie('items'), isShort).map(([items, short]) => map(items.slice(items.length % 2), short)),
    array,
    fc
      .tuple(fc.oneof(anyUlong, anySymbol), tie('value'))
      .map(([descriptor, value]) => [Code.described, ...descriptor, ...value]),
  ),
})).value

/** In one of the forms that a section's descriptor may have. */
function anySection(code: number, value: fc.Arbitrary<Encoded>): fc.Arbitrary<Encoded> {
  const descriptor = fc.oneof(
    { weight: 6, arbitrary: fc.constant([Code.smallUlong, code]) },
    { weight: 1, arbitrary: fc.constant([Code.ulong, 0, 0, 0, 0, 0, 0, 0, code]) },
    { weight: 1, arbitrary: fc.constant(symbol(SYMBOLS[code - Descriptor.header]!)) },
  )
  return fc.tuple(descriptor, value).map(([found, content]) => [Code.described, ...found, ...content])
}

const SYMBOLS = [
  'amqp:header:list',
  'amqp:delivery-annotations:map',
  'amqp:message-annotations:map',
  'amqp:properties:list',
  'amqp:application-properties:map',
  'amqp:data:binary',
  'amqp:amqp-sequence:list',
  'amqp:amqp-value:*',
  'amqp:footer:map',
]

/** Fields of a list, each of them or null; those behind the last are left out. */
function fields(types: ReadonlyArray<fc.Arbitrary<Encoded>>): fc.Arbitrary<Encoded> {
  const each = types.map((type) => fc.oneof(fc.constant([Code.null]), type))
  return fc
    .tuple(fc.tuple(...each), fc.nat(types.length), isShort)
    .map(([values, count, short]) => (count === 0 ? [Code.list0] : list(values.slice(0, count), short)))
}

function entries(key: fc.Arbitrary<Encoded>, value: fc.Arbitrary<Encoded>): fc.Arbitrary<Encoded> {
  return fc
    .tuple(fc.uniqueArray(fc.tuple(key, value), { maxLength: 5, selector: ([name]) => String(name) }), isShort)
    .map(([pairs, short]) => map(pairs.flat(), short))
}

const anyId = fc.oneof(anyString, anyUlong, anyUuid, anyBinary)
const anyText = fc.oneof(anyString, anySymbol)
const anyAddress = fc.oneof(
  fc
    .constantFrom('queue://A.B', 'topic://a.b', 'plain', '/queues/a%2Fb', 'temp-queue://0af9', 'topic://*', '')
    .map((text) => string(text)),
  anyString,
)
const key = fc
  .tuple(
    fc.constantFrom(
      'x-opt-a',
      'x-opt-jms-msg-type',
      'x-opt-jms-dest',
      'x-opt-mqtt-user-properties',
      'x-opt-Ä',
      'x-exchange',
    ),
    isShort,
  )
  .map(([name, short]) => symbol(name.replace('Ä', 'z'), short))
const property = fc.oneof(
  fc.constantFrom('app-id', 'colour', '__proto__', 'x-property.a', '_AMQ_DUPL', '').map((name) => string(name)),
  anyString,
)

const header = fields([anyBoolean, octets(1).map((content) => [Code.ubyte, ...content]), anyUint, anyBoolean, anyUint])
const properties = fields([
  anyId,
  anyBinary,
  anyAddress,
  anyText,
  anyAddress,
  anyId,
  anyText,
  anyText,
  anyTimestamp,
  anyTimestamp,
  anyText,
  anyUint,
  anyText,
])

const one = (part: fc.Arbitrary<Encoded>): fc.Arbitrary<Encoded[]> => part.map((found) => [found])
const maybe = (part: fc.Arbitrary<Encoded>): fc.Arbitrary<Encoded[]> => fc.oneof(fc.constant<Encoded[]>([]), one(part))
const anyList = fc.tuple(fc.array(anyValue, { maxLength: 3 }), isShort).map(([items, short]) => list(items, short))
const data = anySection(Descriptor.data, anyBinary)

/** Each section that it has, encoded; none is left out because it is empty. */
export interface RandomPayload {
  readonly header: Encoded
  readonly deliveryAnnotations: Encoded
  readonly annotations: Encoded
  /** Properties, application properties, body and footer. */
  readonly bare: Encoded
}

const parts = fc.record({
  header: maybe(anySection(Descriptor.header, header)),
  deliveryAnnotations: maybe(anySection(Descriptor.deliveryAnnotations, entries(key, anyValue))),
  annotations: maybe(anySection(Descriptor.messageAnnotations, entries(key, anyValue))),
  properties: maybe(anySection(Descriptor.properties, properties)),
  application: maybe(anySection(Descriptor.applicationProperties, entries(property, simple))),
  body: fc.oneof(
    fc.constant<Encoded[]>([]),
    one(data),
    fc.array(data, { minLength: 2, maxLength: 3 }),
    fc.array(anySection(Descriptor.amqpSequence, anyList), { minLength: 1, maxLength: 3 }),
    one(anySection(Descriptor.amqpValue, anyString)),
    one(anySection(Descriptor.amqpValue, anyValue)),
  ),
  footer: maybe(anySection(Descriptor.footer, entries(key, anyValue))),
})

export const anyPayload: fc.Arbitrary<RandomPayload> = parts.map((found) => ({
  header: found.header.flat(),
  deliveryAnnotations: found.deliveryAnnotations.flat(),
  annotations: found.annotations.flat(),
  bare: [...found.properties, ...found.application, ...found.body, ...found.footer].flat(),
}))

export function bytesOfPayload(payload: RandomPayload): Uint8Array {
  return Uint8Array.from([...payload.header, ...payload.deliveryAnnotations, ...payload.annotations, ...payload.bare])
}
