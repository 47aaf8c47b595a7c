/**
 * Which performatives the codec has to take: tables of fields, looked at one by one. What the three say that move messages is read too,
 * to be compared. [AMQP10 §2.7, §3.4, §3.5, §4.5, §5.3.3]
 */
import { FIELD_VALUES_MAX } from '../../src/codec/fields.ts'
import { type Limits, type Node, type NodeType, Refused, Source } from './reference-values.ts'

/** Codes, names and fields; '!' is behind those that are mandatory. Error, state and others are composites themselves. */
const TABLE = `
0x10 open string! string size ushort uint symbols symbols symbols symbols fields
0x11 begin ushort uint! uint! uint! uint symbols symbols fields
0x12 attach string! uint! boolean! mode3 mode2 source targets unsettled boolean uint ulong symbols symbols fields
0x13 flow uint uint! uint! uint! uint uint uint uint boolean boolean transaction
0x14 transfer uint! uint tag uint boolean boolean mode2 state boolean boolean boolean
0x15 disposition boolean! uint! uint boolean state boolean
0x16 detach uint! boolean error
0x17 end error
0x18 close error
0x1d error symbol! string fields
0x23 received uint! ulong!
0x24 accepted
0x25 rejected error
0x26 released
0x27 modified boolean boolean fields
0x28 source string mode3u policy uint boolean fields symbol fields state symbols symbols
0x29 target string mode3u policy uint boolean fields symbols
0x30 coordinator symbols
0x31 declare any
0x32 discharge binary! boolean
0x33 declared binary!
0x34 transactional-state binary! outcome
0x40 sasl-mechanisms
0x41 sasl-init symbol! binary string
0x42 sasl-challenge
0x43 sasl-response binary!
0x44 sasl-outcome
`

interface Shape {
  readonly name: string
  readonly fields: readonly string[]
}

const SHAPES = new Map<number, Shape>()
const CODES = new Map<string, number>()
for (const line of TABLE.trim().split('\n')) {
  const [code = '', name = '', ...fields] = line.split(' ')
  SHAPES.set(Number(code), { name, fields })
  CODES.set(`amqp:${name}:list`, Number(code))
}

const STATES = ['received', 'accepted', 'rejected', 'released', 'modified', 'declared', 'transactional-state']
const OUTCOMES = ['accepted', 'rejected', 'released', 'modified', 'declared']
const POLICIES = ['link-detach', 'session-end', 'connection-close', 'never']

/** What the rest of a frame is, after its performative. */
export interface Reading {
  readonly name: string
  /** Fields of transfer, flow and disposition; of the others nothing. */
  readonly fields: readonly Node[]
  readonly payload: Buffer
}

/** Code of a performative at the beginning of a body; -1 for none. */
export function codeOf(body: Buffer, limits: Limits): number {
  if (body[0] !== 0) return -1
  try {
    const code = descriptorCode(new Source(body.subarray(1), limits).value())
    return (code >= 0x10 && code <= 0x18) || (code >= 0x40 && code <= 0x44) ? code : -1
  } catch (error) {
    if (error instanceof Refused) return -1
    throw error
  }
}

/** Throws Refused for what the codec must not take. */
export function readPerformative(body: Buffer, limits: Limits): Reading {
  const source = new Source(body, limits)
  const node = source.value()
  const payload = source.take(source.left)
  const fields = judge(
    node,
    [...SHAPES.values()].map(({ name }) => name),
  )
  const { name } = shapeOf(node)!
  if (name !== 'transfer' && payload.length > 0) throw new Refused('bytes behind a performative')
  return { name, fields, payload }
}

function descriptorCode({ type, code, value }: Node): number {
  if (type === 'symbol') return CODES.get(String(value)) ?? -1
  return type === 'ulong' && code !== 0x44 && Number(value) < 256 ? Number(value) : -1
}

function shapeOf({ type, parts }: Node): Shape | undefined {
  return type === 'described' ? SHAPES.get(descriptorCode(parts[0]!)) : undefined
}

/** The fields of a composite that has to be one of `names`, each of its type. */
function judge(node: Node, names: readonly string[]): readonly Node[] {
  const shape = shapeOf(node)
  const list = node.parts[1]
  if (shape === undefined || !names.includes(shape.name) || list?.type !== 'list')
    throw new Refused('another composite')
  if (list.parts.length > shape.fields.length) throw new Refused('too many fields')
  for (const [index, field] of shape.fields.entries()) judgeField(field, list.parts[index])
  return list.parts
}

function judgeField(field: string, node: Node | undefined): void {
  const type = field.replace('!', '')
  if (node === undefined || node.type === 'null') {
    if (field.endsWith('!')) throw new Refused('a mandatory field is missing')
    return
  }
  const isFine = CHECKS[type] ?? ((given: Node) => given.type === type)
  if (!isFine(node)) throw new Refused(`a field is a ${node.type} and no ${type}`)
}

const CHECKS: Readonly<Record<string, (node: Node) => boolean>> = {
  any: () => true,
  size: ({ type, value }) => type === 'uint' && Number(value) >= 512,
  mode2: ({ type, value }) => type === 'ubyte' && Number(value) < 2,
  mode3: ({ type, value }) => type === 'ubyte' && Number(value) < 3,
  mode3u: ({ type, value }) => type === 'uint' && Number(value) < 3,
  policy: ({ type, value }) => type === 'symbol' && POLICIES.includes(String(value)),
  tag: ({ type, value }) => type === 'binary' && String(value).length <= 64,
  symbols: (node) =>
    node.type === 'symbol' ||
    (node.type === 'array' && isSmall(node) && node.parts.every(({ type }) => type === 'symbol')),
  fields: (node) => isSmall(node) && hasKeys(node, ['symbol', 'string']),
  unsettled: (node) =>
    hasKeys(node, ['binary']) && valuesOf(node).every((value) => value.type === 'null' || isOne(value, STATES)),
  error: (node) => isOne(node, ['error']),
  source: (node) => isOne(node, ['source']),
  targets: (node) => isOne(node, ['target', 'coordinator']),
  state: (node) => isOne(node, STATES),
  outcome: (node) => isOne(node, OUTCOMES),
  transaction: (node) => node.type === 'map' && ['null', 'binary'].includes(transactionIdIn(node)?.type ?? 'null'),
}

/** Few enough values to become objects. */
function isSmall({ count }: Node): boolean {
  return count! <= FIELD_VALUES_MAX
}

function isOne(node: Node, names: readonly string[]): boolean {
  judge(node, names)
  return true
}

function hasKeys({ type, parts }: Node, types: readonly NodeType[]): boolean {
  const keys = parts.filter((_, index) => index % 2 === 0)
  return (
    type === 'map' &&
    keys.every((key) => types.includes(key.type)) &&
    new Set(keys.map(({ value }) => value)).size === keys.length
  )
}

function valuesOf({ parts }: Node): readonly Node[] {
  return parts.filter((_, index) => index % 2 === 1)
}

export function transactionIdIn({ parts }: Node): Node | undefined {
  return parts.find(
    (_, index) => index % 2 === 1 && parts[index - 1]!.type === 'symbol' && parts[index - 1]!.value === 'txn-id',
  )
}
