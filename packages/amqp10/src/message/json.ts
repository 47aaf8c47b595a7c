/**
 * AMQP's values as JSON, straight from their bytes, so that no number loses digits. Binary is base64, times are as in RFC 3339, what is
 * described is its value.
 */
import { skipValue, uint32At } from '../codec/structure.ts'
import { Code, SIZED8, WIDTHS } from '../codec/type-codes.ts'
import { booleanOf, contentEnd, contentOf, elementsOf, textOf, uuidText, wholeOf } from './reading.ts'

/** JSON of the value at `at`, which `checkValue` has seen: it is not nested without end. */
export function jsonAt(bytes: Uint8Array, at: number): string {
  const code = bytes[at]!
  return code === Code.described ? jsonAt(bytes, skipValue(bytes, at + 1)) : jsonOf(bytes, code, at + 1)
}

/** Items of the list at `at`, without the brackets around them. */
export function itemsAt(bytes: Uint8Array, at: number): string {
  const { count, at: first } = elementsOf(bytes, bytes[at]!, at + 1)
  const texts: string[] = []
  for (let index = 0, itemAt = first; index < count; index++, itemAt = skipValue(bytes, itemAt))
    texts.push(jsonAt(bytes, itemAt))
  return texts.join(',')
}

function jsonOf(bytes: Uint8Array, code: number, at: number): string {
  switch (code) {
    case Code.null:
      return 'null'
    case Code.list0:
      return '[]'
    case Code.list8:
    case Code.list32:
      return listJson(bytes, code, at)
    case Code.map8:
    case Code.map32:
      return mapJson(bytes, code, at)
    case Code.array8:
    case Code.array32:
      return arrayJson(bytes, code, at)
    default:
      return scalarJson(bytes, code, at)
  }
}

function listJson(bytes: Uint8Array, code: number, at: number): string {
  const { count, at: first } = elementsOf(bytes, code, at)
  const texts: string[] = []
  for (let index = 0, itemAt = first; index < count; index++, itemAt = skipValue(bytes, itemAt))
    texts.push(jsonAt(bytes, itemAt))
  return `[${texts.join(',')}]`
}

function mapJson(bytes: Uint8Array, code: number, at: number): string {
  const { count, at: first } = elementsOf(bytes, code, at)
  const texts: string[] = []
  let keyAt = first
  for (let left = count; left >= 2; left -= 2) {
    const valueAt = skipValue(bytes, keyAt)
    texts.push(`${keyJson(bytes, keyAt)}:${jsonAt(bytes, valueAt)}`)
    keyAt = skipValue(bytes, valueAt)
  }
  return `{${texts.join(',')}}`
}

/** A key that is a list, map or array is its encoding in base64: as JSON within a string it would double with each map around it. */
function keyJson(bytes: Uint8Array, at: number): string {
  let valueAt = at
  while (bytes[valueAt] === Code.described) valueAt = skipValue(bytes, valueAt + 1)
  if (bytes[valueAt]! >= Code.list8)
    return JSON.stringify(Buffer.from(bytes.subarray(valueAt, skipValue(bytes, valueAt))).toString('base64'))
  const key = jsonAt(bytes, valueAt)
  return key.startsWith('"') ? key : JSON.stringify(key)
}

function arrayJson(bytes: Uint8Array, code: number, at: number): string {
  const isShort = WIDTHS[code] === SIZED8
  const count = isShort ? bytes[at + 1]! : uint32At(bytes, at + 4)
  let constructorAt = at + (isShort ? 2 : 8)
  while (bytes[constructorAt] === Code.described) constructorAt = skipValue(bytes, constructorAt + 1)
  const elementCode = bytes[constructorAt]!
  const texts: string[] = []
  let itemAt = constructorAt + 1
  for (let index = 0; index < count; index++) {
    texts.push(jsonOf(bytes, elementCode, itemAt))
    itemAt = contentEnd(bytes, elementCode, itemAt)
  }
  return `[${texts.join(',')}]`
}

function scalarJson(bytes: Uint8Array, code: number, at: number): string {
  switch (code) {
    case Code.float:
      return numberJson(viewOf(bytes).getFloat32(at))
    case Code.double:
      return numberJson(viewOf(bytes).getFloat64(at))
    case Code.char:
      return JSON.stringify(String.fromCodePoint(uint32At(bytes, at)))
    case Code.timestamp:
      return JSON.stringify(timeText(wholeOf(bytes, code, at)!))
    case Code.uuid:
      return JSON.stringify(uuidText(bytes, at))
    default: {
      const plain = booleanOf(bytes, code, at) ?? wholeOf(bytes, code, at)
      if (plain !== undefined) return String(plain)
      return JSON.stringify(textOf(bytes, code, at) ?? Buffer.from(contentOf(bytes, code, at)).toString('base64'))
    }
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function numberJson(value: number): string {
  return Number.isFinite(value) ? String(value) : 'null'
}

/** What is beyond every date is the number that it is. */
function timeText(ms: number | bigint): string {
  const date = new Date(Number(ms))
  return Number.isNaN(date.getTime()) ? String(ms) : date.toISOString()
}
