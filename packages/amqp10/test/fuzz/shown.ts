/** What a value says, as text: of the codec's values and of the reference's, so that the two can be compared. */
import { AmqpSymbol, type Value } from '../../src/codec/values.ts'
import type { Node } from './reference-values.ts'

/** What a Date can hold. */
const DATE_MS_MAX = 8_640_000_000_000_000n

export function showValue(value: Value): string {
  switch (typeof value) {
    case 'boolean':
      return String(value)
    case 'number':
      return showNumber(value)
    case 'bigint':
      return `b${value}`
    case 'string':
      return `s${JSON.stringify(value)}`
    default:
      return value === null ? 'null' : showObject(value)
  }
}

function showObject(value: Exclude<Value, null | boolean | number | bigint | string>): string {
  if (value instanceof AmqpSymbol) return `y${JSON.stringify(value.text)}`
  if (value instanceof Date) return `t${value.getTime()}`
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`
  if (isList(value)) return `[${value.map(showValue).join(',')}]`
  if (isMap(value)) return `{${[...value].map(([key, each]) => `${showValue(key)}:${showValue(each)}`).join(',')}}`
  const { descriptor } = value
  return `@${typeof descriptor === 'bigint' ? String(descriptor) : JSON.stringify(descriptor)}(${showValue(value.value)})`
}

function isList(value: object): value is readonly Value[] {
  return Array.isArray(value)
}

function isMap(value: object): value is ReadonlyMap<Value, Value> {
  return value instanceof Map
}

function showNumber(value: number): string {
  return `n${value}`
}

export function showNode({ type, value, parts }: Node): string {
  switch (type) {
    case 'null':
    case 'boolean':
      return String(value)
    case 'string':
    case 'char':
      return `s${JSON.stringify(value)}`
    case 'uuid':
      return `s${JSON.stringify(dashed(String(value)))}`
    case 'symbol':
      return `y${JSON.stringify(value)}`
    case 'binary':
    case 'decimal':
      return `x${String(value)}`
    case 'timestamp':
      return `t${clamped(value as bigint)}`
    case 'list':
    case 'array':
      return `[${parts.map(showNode).join(',')}]`
    case 'map':
      return showMap(parts)
    case 'described':
      return showDescribed(parts)
    default:
      return Number.isSafeInteger(Number(value)) || typeof value !== 'bigint' ? showNumber(Number(value)) : `b${value}`
  }
}

/** Keys that are simple values are one where they are the same; the last value of a key counts. */
function showMap(parts: readonly Node[]): string {
  const texts = new Map<string, string>()
  for (let at = 0; at < parts.length; at += 2) {
    const shown = showNode(parts[at]!)
    const isSimple = /^[nbs]|^true|^false|^null/.test(shown)
    texts.set(isSimple ? shown : `${shown}#${at}`, showNode(parts[at + 1]!))
  }
  return `{${[...texts].map(([key, value]) => `${key.replace(/#\d+$/, '')}:${value}`).join(',')}}`
}

/** A descriptor that is neither symbol nor ulong is reserved and not shown. */
function showDescribed([descriptor, value]: readonly Node[]): string {
  const shown = showNode(value!)
  if (descriptor!.type === 'symbol') return `@${JSON.stringify(descriptor!.value)}(${shown})`
  return descriptor!.type === 'ulong' ? `@${String(descriptor!.value)}(${shown})` : shown
}

function clamped(ms: bigint): bigint {
  if (ms > DATE_MS_MAX) return DATE_MS_MAX
  return ms < -DATE_MS_MAX ? -DATE_MS_MAX : ms
}

function dashed(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
