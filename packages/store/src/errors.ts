/**
 * How an append can end other than well. There are exactly three ways, and they say different things about the log:
 * certainly not in it, certainly without effect, not known. [ADR-0002]
 */
import type { Epoch } from './engine.ts'

/**
 * `too-big` will never fit; `full` and `unreachable` may pass; `closed` came after the writer closed. An engine calls
 * itself full for content first and keeps room for bookkeeping, so that consumers go on settling and make space.
 */
export type NotAppendedReason = 'too-big' | 'full' | 'unreachable' | 'closed'

/** The group is certainly not in the log. It alone failed: the groups behind it have outcomes of their own. */
export class NotAppended extends Error {
  override readonly name = 'NotAppended'
  readonly code = 'STORE_NOT_APPENDED'
  readonly reason: NotAppendedReason

  constructor(reason: NotAppendedReason, detail: string) {
    super(detail)
    this.reason = reason
  }
}

/**
 * Somebody else owns the partition: the group certainly has no effect, and neither has any later one of this writer.
 */
export class Fenced extends Error {
  override readonly name = 'Fenced'
  readonly code = 'STORE_FENCED'
  /** The epoch that took over. */
  readonly by: Epoch

  constructor(by: Epoch, detail: string) {
    super(detail)
    this.by = by
  }
}

/**
 * The group may be in the log or not: a sync failed, or the answer was lost. The writer is dead. Never tell a client
 * yes or no: end the connection, or the process, and let recovery find out.
 */
export class Unknown extends Error {
  override readonly name = 'Unknown'
  readonly code = 'STORE_UNKNOWN'

  constructor(detail: string, options?: ErrorOptions) {
    super(detail, options)
  }
}

/** The partition has a living owner on another node. */
export class Busy extends Error {
  override readonly name = 'Busy'
  readonly code = 'STORE_BUSY'
  /** Who has it. */
  readonly node: string

  constructor(node: string, detail: string) {
    super(detail)
    this.node = node
  }
}

/** A catalog commit found another revision than it expected; nothing of it was done. */
export class Conflict extends Error {
  override readonly name = 'Conflict'
  readonly code = 'STORE_CONFLICT'
  readonly key: string
  readonly expectedRev: number
  /** 0 when there is no entry. */
  readonly foundRev: number

  constructor(key: string, expectedRev: number, foundRev: number) {
    super(`catalog key ${key} is at revision ${foundRev}, not ${expectedRev} as the commit expected: read it again`)
    this.key = key
    this.expectedRev = expectedRev
    this.foundRev = foundRev
  }
}
