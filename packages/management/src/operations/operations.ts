/**
 * Long work: some of it runs at a time, each piece says how far it has got, can be cancelled, and gone on with. What has ended is
 * remembered for a while, over restarts too, as is what a restart cut off, as far as it was written down. What the work is, those who begin
 * it know.
 */
import {
  cancelOperation,
  getOperation,
  listOperations,
  type OperationItem,
  resumeOperation,
  several,
} from '@ternmq/api'
import type { Cancel, Env } from '@ternmq/core'
import { ApiError } from '../errors.ts'
import { bind, type Bound, type Caller } from '../handlers.ts'
import type { AgainBody, OperationEnd, OperationRecord, OperationRecords } from './operation-records.ts'

/** A further one is refused as BUSY. */
export const OPERATIONS_RUNNING_MAX = 8
/** Beyond it the one that ended first is forgotten, in the records too. */
export const OPERATIONS_ENDED_MAX = 100

/** How long a call waits for the end of what it asks about, where it does not say. */
export const OPERATION_WAIT_MS = 2_000

/** What has run for so long is written down, as is what ends undone before: who waits for less sees the broker go. */
export const OPERATION_WRITTEN_AFTER_MS = 1_000

const ID_BYTES = 8

/** What work says of itself as it goes on. */
export interface OperationProgress {
  readonly doneCount: number
  readonly skippedCount: number
  readonly refusedCount: number
  /** Why the first of those was refused or skipped, or why it stopped. */
  readonly reason: string | undefined
}

/** What work asks and tells while it runs. */
export interface OperationContext {
  /** Aborts when somebody cancels it. */
  readonly signal: AbortSignal
  /** All of it, since it was begun for the first time. */
  report(this: void, progress: OperationProgress): void
}

export interface OperationWork extends Pick<OperationItem, 'queue' | 'target' | 'total' | 'user' | 'missingIds'> {
  readonly action: OperationRecord['action']
  /** It can be gone on with: `run` is called again. */
  readonly canResume: boolean
  /**
   * The call that has the rest done after a restart, where all that was done is known, or not; undefined where the same call would not do
   * the same.
   */
  again(isAllKnown: boolean): AgainBody | undefined
  /** Before `run` is called again: who goes on with it. Throws ApiError where he may not. */
  takeOver(caller: Caller): void
  /** Resolves when it has ended; with `stopped` when something is in its way. A cancelled one resolves soon. */
  run(context: OperationContext): Promise<'done' | 'stopped'>
}

const NOTHING_LEFT_OUT = { skippedCount: 0, refusedCount: 0 } as const
const NO_PROGRESS: OperationProgress = { doneCount: 0, ...NOTHING_LEFT_OUT, reason: undefined }

export interface OperationsOptions {
  readonly env: Env
  /** Undefined: nothing outlives the process. */
  readonly records?: OperationRecords | undefined
  /** Hears of the end of what had not ended when its call was answered, and of what a restart cut off. */
  readonly onEnded?: ((item: OperationItem) => void) | undefined
}

class Operation {
  readonly id: string
  readonly work: OperationWork
  state: OperationItem['state'] = 'running'
  progress: OperationProgress = NO_PROGRESS
  readonly startedAtMs: number
  endedAtMs: number | undefined = undefined
  abort: AbortController = new AbortController()
  /** Its end is told to `onEnded`. */
  isTold = false
  cancelWriting: Cancel | undefined = undefined
  isWritten = false
  /** Those who wait for its end. */
  readonly waiters: Set<() => void> = new Set()

  constructor(id: string, work: OperationWork, startedAtMs: number) {
    this.id = id
    this.work = work
    this.startedAtMs = startedAtMs
  }

  get canResume(): boolean {
    return this.work.canResume && this.state !== 'running' && this.state !== 'done'
  }

  /** As it is to be listed when the broker ends now. */
  cutOff(): OperationRecord {
    return this.#record(this.work.again(false))
  }

  ended(state: OperationEnd['state'], atMs: number): OperationRecord {
    const { work, canResume } = this
    const again = canResume ? work.again(state === 'stopped' || state === 'cancelled') : undefined
    const { skippedCount, refusedCount, reason } = this.progress
    const why = canResume && again === undefined ? `${reason ?? `it was ${state}`}; ${notAfterRestart(work)}` : reason
    return { ...this.#record(again), ended: { state, atMs, skippedCount, refusedCount, reason: why } }
  }

  #record(again: AgainBody | undefined): OperationRecord {
    const { id, work, progress, startedAtMs } = this
    const { action, queue, target, user, total } = work
    return { id, action, queue, target, user, total, again, doneCount: progress.doneCount, startedAtMs }
  }

  item(): OperationItem {
    const { id, work, state, progress, startedAtMs, endedAtMs, canResume } = this
    const { action, queue, target, total, user, missingIds } = work
    return { id, action, queue, target, user, state, total, ...progress, missingIds, startedAtMs, endedAtMs, canResume }
  }
}

export class Operations {
  readonly #env: Env
  readonly #records: OperationRecords | undefined
  readonly #onEnded: (item: OperationItem) => void
  /** In the order of their beginning. */
  readonly #byId = new Map<string, Operation>()
  #runningCount = 0
  #isClosed = false

  constructor({ env, records, onEnded = ignore }: OperationsOptions) {
    this.#env = env
    this.#records = records
    this.#onEnded = onEnded
  }

  /** Lists what ended before a restart, and what that cut off. `workFor` says how it may be gone on with. Once, before anything is begun. */
  restore(workFor: (record: OperationRecord) => OperationWork): void {
    const nowMs = this.#env.clock.wallMs()
    for (const record of this.#records?.found ?? []) {
      const operation = new Operation(record.id, workFor(record), record.startedAtMs)
      const { doneCount, ended } = record
      this.#byId.set(record.id, operation)
      operation.isWritten = true
      if (ended !== undefined) {
        const { state, atMs, skippedCount, refusedCount, reason } = ended
        Object.assign(operation, { state, endedAtMs: atMs })
        operation.progress = { doneCount, skippedCount, refusedCount, reason }
        continue
      }
      Object.assign(operation, { state: 'interrupted', endedAtMs: nowMs })
      operation.progress = { ...NO_PROGRESS, doneCount, reason: interruption(record) }
      const { reason } = operation.progress
      this.#records?.put({ ...record, ended: { ...NOTHING_LEFT_OUT, state: 'interrupted', atMs: nowMs, reason } })
      this.#onEnded(operation.item())
    }
    this.#forgetOldest()
  }

  /** The newest first. */
  list(): OperationItem[] {
    return [...this.#byId.values()].reverse().map((operation) => operation.item())
  }

  /** Throws ApiError('OPERATION_UNKNOWN'). */
  get(id: string): OperationItem {
    return this.#find(id).item()
  }

  /** Throws ApiError('BUSY') when too much runs. */
  begin(work: OperationWork): OperationItem {
    this.#checkRoom()
    const id = Buffer.from(this.#env.random.bytes(ID_BYTES)).toString('hex')
    const operation = new Operation(id, work, this.#env.clock.wallMs())
    this.#byId.set(id, operation)
    this.#run(operation)
    return operation.item()
  }

  /** Whoever began it is answered before it ends: its end is to be told. */
  tellEnd(id: string): void {
    this.#find(id).isTold = true
  }

  /** Stops it where it is, and waits until it has. Nothing for one that has ended. Throws ApiError('OPERATION_UNKNOWN'). */
  async cancel(id: string): Promise<OperationItem> {
    this.#find(id).abort.abort()
    return this.whenEnded(id, OPERATION_WAIT_MS)
  }

  /**
   * Goes on where it ended, by the rights of `caller`. Throws ApiError of OPERATION_UNKNOWN, CONFLICT for what cannot be gone on with, BUSY,
   * and what stands against it for this caller.
   */
  resume(id: string, caller: Caller): OperationItem {
    const operation = this.#find(id)
    if (!operation.canResume) {
      const why = operation.work.canResume ? `it is ${operation.state}` : 'begin a new one for what is left'
      throw new ApiError('CONFLICT', `operation '${id}' cannot be resumed: ${why}`, { field: 'id', value: id })
    }
    this.#checkRoom()
    operation.work.takeOver(caller)
    // Of what a restart cut off nobody knows how far it was: what is left is counted anew.
    if (operation.state === 'interrupted') operation.progress = NO_PROGRESS
    operation.isTold = true
    if (operation.isWritten) this.#records?.put(operation.cutOff())
    operation.state = 'running'
    operation.endedAtMs = undefined
    operation.abort = new AbortController()
    this.#run(operation)
    return operation.item()
  }

  /** As it is once it has ended, or after `waitMs`, or when `signal` aborts. Throws ApiError('OPERATION_UNKNOWN'). */
  async whenEnded(id: string, waitMs: number, signal?: AbortSignal): Promise<OperationItem> {
    const operation = this.#find(id)
    if (operation.state === 'running' && waitMs > 0 && signal?.aborted !== true) {
      await new Promise<void>((resolve) => {
        const finish = (): void => {
          cancel()
          signal?.removeEventListener('abort', finish)
          operation.waiters.delete(finish)
          resolve()
        }
        const cancel = this.#env.clock.after(waitMs, finish)
        signal?.addEventListener('abort', finish)
        operation.waiters.add(finish)
      })
    }
    return operation.item()
  }

  /** The broker stops: what runs ends where it is, and is listed by the next start. Resolves when that is written. */
  async close(): Promise<void> {
    this.#isClosed = true
    const running = [...this.#byId.values()].filter(({ state }) => state === 'running')
    for (const { abort } of running) abort.abort()
    await Promise.all(running.map(({ id }) => this.whenEnded(id, OPERATION_WAIT_MS)))
    for (const operation of running) if (operation.state !== 'done') this.#writeCutOff(operation)
    await this.#records?.close()
  }

  #find(id: string): Operation {
    const operation = this.#byId.get(id)
    if (operation !== undefined) return operation
    const detail = `there is no operation '${id}': the last ${OPERATIONS_ENDED_MAX} that ended are remembered`
    throw new ApiError('OPERATION_UNKNOWN', detail, { field: 'id', value: id })
  }

  #checkRoom(): void {
    if (this.#runningCount < OPERATIONS_RUNNING_MAX) return
    throw new ApiError('BUSY', `${this.#runningCount} operations run, the limit; wait for one or cancel it`)
  }

  #run(operation: Operation): void {
    this.#runningCount++
    const { work, abort } = operation
    if (this.#records !== undefined)
      operation.cancelWriting = this.#env.clock.after(OPERATION_WRITTEN_AFTER_MS, () => this.#writeCutOff(operation))
    const context: OperationContext = {
      signal: abort.signal,
      report(progress) {
        operation.progress = progress
      },
    }
    work.run(context).then(
      (end) => this.#end(operation, abort.signal.aborted && end === 'stopped' ? 'cancelled' : end),
      (error: unknown) => {
        operation.progress = { ...operation.progress, reason: error instanceof Error ? error.message : String(error) }
        this.#end(operation, 'failed')
      },
    )
  }

  #end(operation: Operation, state: OperationEnd['state']): void {
    this.#runningCount--
    operation.state = state
    operation.endedAtMs = this.#env.clock.wallMs()
    operation.cancelWriting?.()
    operation.cancelWriting = undefined
    // What the end of the broker stopped is as little at its end as what a crash does.
    if (!this.#isClosed || state === 'done') {
      if (operation.isWritten || state !== 'done') this.#writeEnd(operation, state, operation.endedAtMs)
      if (operation.isTold) this.#onEnded(operation.item())
    }
    for (const waiter of [...operation.waiters]) waiter()
    this.#forgetOldest()
  }

  #writeCutOff(operation: Operation): void {
    operation.isWritten = true
    this.#records?.put(operation.cutOff())
  }

  #writeEnd(operation: Operation, state: OperationEnd['state'], atMs: number): void {
    operation.isWritten = true
    this.#records?.put(operation.ended(state, atMs))
  }

  #forgetOldest(): void {
    let endedCount = this.#byId.size - this.#runningCount
    const ended = [...this.#byId.values()].filter(({ state }) => state !== 'running')
    ended.sort((one, other) => one.endedAtMs! - other.endedAtMs!)
    for (const { id, isWritten } of ended) {
      if (endedCount-- <= OPERATIONS_ENDED_MAX) return
      this.#byId.delete(id)
      if (isWritten) this.#records?.remove(id)
    }
  }
}

/** What became of the messages, and how the rest is done. */
function interruption({ action, queue, target, again }: OperationRecord): string {
  const done: Readonly<Record<OperationRecord['action'], string>> = {
    move: `what it had moved is in queue '${target}', the rest in queue '${queue}'`,
    copy: `what it had copied is in queue '${target}' and in queue '${queue}'`,
    delete: `what it had not deleted is in queue '${queue}'`,
    retry: `what it had sent back is where it came from, the rest in queue '${queue}'`,
  }
  const rest =
    again === undefined
      ? adviceFor(action)
      : 'resume it, or make the same call again: both take what has come since, too'
  return `the broker ended in the middle of it: ${action === 'retry' && target !== undefined ? done.move : done[action]}; ${rest}`
}

function notAfterRestart({ action }: Pick<OperationWork, 'action'>): string {
  return `since the broker was started anew it cannot be resumed: ${adviceFor(action)}`
}

function adviceFor(action: OperationRecord['action']): string {
  return action === 'copy' ? 'copying again would copy that twice: choose what is missing' : 'choose what is left again'
}

function ignore(): void {}

export function operationsHandlers(operations: Operations): Bound[] {
  return [
    bind(listOperations, () => ({ items: operations.list() })),
    bind(getOperation, ({ params, query, signal }) => operations.whenEnded(params.id, query.waitMs ?? 0, signal)),
    bind(cancelOperation, async ({ params, note }) => {
      const item = await operations.cancel(params.id)
      note(`${item.action} of queue '${item.queue}': ${item.state} after ${several(item.doneCount, 'message')}`)
      return item
    }),
    bind(resumeOperation, ({ params, caller, note }) => {
      const item = operations.resume(params.id, caller)
      note(`${item.action} of queue '${item.queue}' goes on after ${several(item.doneCount, 'message')}`)
      return item
    }),
  ]
}
