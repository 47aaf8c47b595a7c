/**
 * Values of AMQP's types, read to be compared with: each compound is cut out and read on its own, nothing is fast. What it refuses the codec
 * has to refuse, and what it reads the codec has to read. [AMQP10 §1.2, §1.6]
 */
export class Refused extends Error {}

export type NodeType =
  | 'null'
  | 'boolean'
  | 'ubyte'
  | 'ushort'
  | 'uint'
  | 'ulong'
  | 'byte'
  | 'short'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'decimal'
  | 'char'
  | 'timestamp'
  | 'uuid'
  | 'binary'
  | 'string'
  | 'symbol'
  | 'list'
  | 'map'
  | 'array'
  | 'described'

/** A value. Lists, maps (keys and values in turn), arrays and described ones (descriptor, value) have parts. */
export interface Node {
  readonly type: NodeType
  readonly code: number
  readonly value: number | bigint | string | boolean | null
  readonly parts: readonly Node[]
  /** Values that it is made of, itself and descriptors included; of elements of arrays 0. */
  readonly count?: number
}

export interface Limits {
  readonly depthMax: number
  readonly emptyElementsMax: number
}

/** Fixed widths, and how their bytes are read. */
const FIXED: Readonly<Record<number, readonly [NodeType, number, (bytes: Buffer) => Node['value']]>> = {
  0x40: ['null', 0, () => null],
  0x41: ['boolean', 0, () => true],
  0x42: ['boolean', 0, () => false],
  0x56: ['boolean', 1, (bytes) => (bytes[0]! < 2 ? bytes[0] === 1 : refuse('a boolean of another octet'))],
  0x50: ['ubyte', 1, (bytes) => bytes.readUInt8()],
  0x60: ['ushort', 2, (bytes) => bytes.readUInt16BE()],
  0x43: ['uint', 0, () => 0],
  0x52: ['uint', 1, (bytes) => bytes.readUInt8()],
  0x70: ['uint', 4, (bytes) => bytes.readUInt32BE()],
  0x44: ['ulong', 0, () => 0n],
  0x53: ['ulong', 1, (bytes) => BigInt(bytes.readUInt8())],
  0x80: ['ulong', 8, (bytes) => bytes.readBigUInt64BE()],
  0x51: ['byte', 1, (bytes) => bytes.readInt8()],
  0x61: ['short', 2, (bytes) => bytes.readInt16BE()],
  0x54: ['int', 1, (bytes) => bytes.readInt8()],
  0x71: ['int', 4, (bytes) => bytes.readInt32BE()],
  0x55: ['long', 1, (bytes) => BigInt(bytes.readInt8())],
  0x81: ['long', 8, (bytes) => bytes.readBigInt64BE()],
  0x72: ['float', 4, (bytes) => bytes.readFloatBE()],
  0x82: ['double', 8, (bytes) => bytes.readDoubleBE()],
  0x74: ['decimal', 4, (bytes) => bytes.toString('hex')],
  0x84: ['decimal', 8, (bytes) => bytes.toString('hex')],
  0x94: ['decimal', 16, (bytes) => bytes.toString('hex')],
  0x73: ['char', 4, (bytes) => utf32(bytes.readUInt32BE())],
  0x83: ['timestamp', 8, (bytes) => bytes.readBigInt64BE()],
  0x98: ['uuid', 16, (bytes) => bytes.toString('hex')],
}

const VARIABLE: Readonly<Record<number, NodeType>> = { 0x0: 'binary', 0x1: 'string', 0x3: 'symbol' }
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function refuse(why: string): never {
  throw new Refused(why)
}

/** One value after the other, from a piece of memory of its own. */
export class Source {
  #rest: Buffer
  readonly #limits: Limits
  /** Shared by all that are cut out of one value. */
  readonly #counts: { empty: number; values: number }

  constructor(bytes: Uint8Array, limits: Limits, counts = { empty: 0, values: 0 }) {
    this.#rest = Buffer.from(bytes)
    this.#limits = limits
    this.#counts = counts
  }

  get left(): number {
    return this.#rest.length
  }

  take(count: number): Buffer {
    if (count > this.#rest.length) refuse(`${count} bytes of ${this.#rest.length}`)
    const taken = this.#rest.subarray(0, count)
    this.#rest = this.#rest.subarray(count)
    return taken
  }

  value(depth = 1): Node {
    const before = this.#counts.values
    this.#counts.values++
    const node = this.#value(depth)
    return { ...node, count: this.#counts.values - before }
  }

  #value(depth: number): Node {
    this.#checkDepth(depth)
    const code = this.take(1)[0]!
    if (code !== 0) return this.#content(code, depth)
    const parts = [this.value(depth + 1), this.value(depth + 1)]
    return { type: 'described', code, value: null, parts }
  }

  #content(code: number, depth: number): Node {
    const fixed = FIXED[code]
    if (fixed !== undefined) return { type: fixed[0], code, value: fixed[2](this.take(fixed[1])), parts: [] }
    if (code === 0x45) return { type: 'list', code, value: null, parts: [] }
    const width = (code >> 4) % 2 === 0 ? 1 : 4
    switch (code >> 4) {
      case 0xa:
      case 0xb:
        return this.#text(code, this.#sized(width))
      case 0xc:
      case 0xd:
        if ((code & 0xf) > 1) break
        return this.#compound(code, this.#sized(width), width, depth)
      case 0xe:
      case 0xf:
        if ((code & 0xf) > 0) break
        return this.#array(code, this.#sized(width), width, depth)
      default:
    }
    return refuse(`no constructor: ${code}`)
  }

  #text(code: number, bytes: Buffer): Node {
    const type = VARIABLE[code & 0xf] ?? refuse(`no constructor: ${code}`)
    if (type === 'binary') return { type, code, value: bytes.toString('hex'), parts: [] }
    if (type === 'symbol' && bytes.some((byte) => byte > 127)) refuse('a symbol that is not ASCII')
    try {
      return { type, code, value: utf8.decode(bytes), parts: [] }
    } catch {
      return refuse('a string that is no UTF-8')
    }
  }

  #compound(code: number, content: Buffer, width: number, depth: number): Node {
    const inner = this.#cut(content)
    const count = inner.number(width)
    if ((code & 0xf) === 1 && count % 2 === 1) refuse('a map of an odd number')
    const parts: Node[] = []
    while (parts.length < count) parts.push(inner.value(depth + 1))
    if (inner.left > 0) refuse('bytes behind the elements')
    return { type: (code & 0xf) === 1 ? 'map' : 'list', code, value: null, parts }
  }

  #array(code: number, content: Buffer, width: number, depth: number): Node {
    const inner = this.#cut(content)
    const count = inner.number(width)
    const descriptors: Node[] = []
    let elementCode = inner.take(1)[0]!
    let elementDepth = depth + 1
    for (; elementCode === 0; elementDepth++) {
      descriptors.push(inner.value(elementDepth))
      elementCode = inner.take(1)[0]!
    }
    this.#checkDepth(elementDepth)
    this.#counts.values += count
    if (FIXED[elementCode]?.[1] === 0 || elementCode === 0x45) {
      this.#counts.empty += count
      if (this.#counts.empty > this.#limits.emptyElementsMax) refuse('too many elements without bytes')
    } else if (count > inner.left) refuse('fewer bytes than elements')
    const parts: Node[] = []
    while (parts.length < count) parts.push(describe(inner.#content(elementCode, elementDepth), descriptors))
    if (count === 0) checkCode(elementCode)
    if (inner.left > 0) refuse('bytes behind the elements')
    return { type: 'array', code, value: null, parts }
  }

  #sized(width: number): Buffer {
    return this.take(this.number(width))
  }

  number(width: number): number {
    return this.take(width).readUIntBE(0, width)
  }

  #cut(content: Buffer): Source {
    return new Source(content, this.#limits, this.#counts)
  }

  #checkDepth(depth: number): void {
    if (depth > this.#limits.depthMax) refuse('too deep')
  }
}

/** Elements of an array have its first descriptor; the codec keeps no other. */
function describe(element: Node, [descriptor]: readonly Node[]): Node {
  return descriptor === undefined ? element : { type: 'described', code: 0, value: null, parts: [descriptor, element] }
}

function checkCode(code: number): void {
  const known =
    FIXED[code] !== undefined ||
    [0x45, 0xa0, 0xa1, 0xa3, 0xb0, 0xb1, 0xb3, 0xc0, 0xc1, 0xd0, 0xd1, 0xe0, 0xf0].includes(code)
  if (!known) refuse(`no constructor: ${code}`)
}

function utf32(code: number): string {
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) refuse('no character')
  return String.fromCodePoint(code)
}
