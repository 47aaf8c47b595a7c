/**
 * What a PUBLISH asks of the broker in its user properties: priority, group, a later sending, an id for duplicates. Only packets that
 * have such a name are read at all; all others pass as bytes.
 */
import type { MessageExtras, PublishOptions } from '@ternmq/core'
import { faultText, type Part, partNames, readPairs } from '@ternmq/naming'
import { forEachProperty, readUserProperties } from '../codec/properties.ts'

/** What is left out was not asked for. */
export interface PublishFields {
  /** 0…9 */
  readonly priority?: number
  readonly extras?: MessageExtras
  readonly options?: PublishOptions
  /** Why the message is refused. */
  readonly fault?: string
}

/** Parts that change what becomes of a message, or whose values can be wrong. */
const PARTS: ReadonlySet<Part> = new Set<Part>([
  'priority',
  'timestamp',
  'groupId',
  'groupSequence',
  'delay',
  'period',
  'repeats',
  'cron',
  'deliverAt',
  'dedupId',
])

const USER_PROPERTY = 0x26

/** Their names as bytes, by length. */
const NAMES: ReadonlyArray<readonly Uint8Array[] | undefined> = namesByLength()

function namesByLength(): ReadonlyArray<readonly Uint8Array[] | undefined> {
  const byLength: Uint8Array[][] = []
  for (const [part, name] of partNames('mqtt5')) {
    const bytes = Buffer.from(name)
    if (PARTS.has(part)) (byLength[bytes.length] ??= []).push(bytes)
  }
  return byLength
}

/** Of the properties in `bytes[start, end)`, which are known to be sound. Undefined when none of them is a field. */
export function readPublishFields(bytes: Uint8Array, start: number, end: number): PublishFields | undefined {
  if (!hasField(bytes, start, end)) return undefined
  const { priority, groupId, groupEnds, schedule, dedupId, faults } = readPairs(
    'mqtt5',
    readUserProperties(bytes, start, end),
  )
  const [fault] = faults
  if (fault !== undefined) return { fault: faultText('mqtt5', fault) }
  const extras = { ...(groupId !== undefined && { groupId, ...(groupEnds === true && { groupEnds }) }) }
  const options = { ...(schedule && { schedule }), ...(dedupId !== undefined && { dedupId }) }
  return { ...(priority !== undefined && { priority }), ...(groupId !== undefined && { extras }), options }
}

/** Hot path of messages with user properties. */
function hasField(bytes: Uint8Array, start: number, end: number): boolean {
  let isFound = false
  forEachProperty(bytes, start, end, ({ id }, from) => {
    if (id !== USER_PROPERTY || isFound) return
    const length = (bytes[from]! << 8) | bytes[from + 1]!
    isFound = NAMES[length]?.some((name) => isAt(bytes, from + 2, name)) === true
  })
  return isFound
}

function isAt(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let index = 0; index < name.length; index++) if (bytes[at + index] !== name[index]) return false
  return true
}
