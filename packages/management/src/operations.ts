/**
 * Long work: some of it runs at a time, each piece says how far it has got, can be cancelled, and gone on with. What has ended is
 * remembered for a while. What the work is, those who begin it know.
 */
import { cancelOperation, getOperation, listOperations, type OperationItem, resumeOperation } from '@ternmq/api'
import type { Env } from '@ternmq/core'
import { ApiError } from './errors.ts'
import { bind, type Bound } from './handlers.ts'

/** A further one is refused as BUSY. */
export const OPERATIONS_RUNNING_MAX = 8
/** Beyond it the one that ended first is forgotten. */
export const OPERATIONS_ENDED_MAX = 100

/** How long a call waits for the end of what it asks about, where it does not say. */
export const OPERATION_WAIT_MS = 2_000

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

export interface OperationWork extends Pick<OperationItem, 'action' | 'queue' | 'target' | 'total' | 'user'> {
  /** It can be gone on with: `run` is called again. */
  readonly canResume: boolean
  /** Resolves when it has ended; with `stopped` when something is in its way. A cancelled one resolves soon. */
  run(context: OperationContext): Promise<'done' | 'stopped'>
}

const NO_PROGRESS: OperationProgress = { doneCount: 0, skippedCount: 0, refusedCount: 0, reason: undefined }

class Operation {
  readonly id: string
  readonly work: OperationWork
  state: OperationItem['state'] = 'running'
  progress: OperationProgress = NO_PROGRESS
  readonly startedAtMs: number
  endedAtMs: number | undefined = undefined
  abort: AbortController = new AbortController()
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

  item(): OperationItem {
    const { id, work, state, progress, startedAtMs, endedAtMs, canResume } = this
    const { action, queue, target, total, user } = work
    return { id, action, queue, target, user, state, total, ...progress, startedAtMs, endedAtMs, canResume }
  }
}

export class Operations {
  readonly #env: Env
  /** In the order of their beginning. */
  readonly #byId = new Map<string, Operation>()
  #runningCount = 0

  constructor(env: Env) {
    this.#env = env
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

  /** Stops it where it is, and waits until it has. Nothing for one that has ended. Throws ApiError('OPERATION_UNKNOWN'). */
  async cancel(id: string): Promise<OperationItem> {
    this.#find(id).abort.abort()
    return this.whenEnded(id, OPERATION_WAIT_MS)
  }

  /** Goes on where it ended. Throws ApiError of OPERATION_UNKNOWN, CONFLICT for what cannot be gone on with, BUSY. */
  resume(id: string): OperationItem {
    const operation = this.#find(id)
    if (!operation.canResume) {
      const why = operation.work.canResume ? `it is ${operation.state}` : 'begin a new one for what is left'
      throw new ApiError('CONFLICT', `operation '${id}' cannot be resumed: ${why}`, { field: 'id', value: id })
    }
    this.#checkRoom()
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

  /** The broker stops: what runs ends where it is. */
  close(): void {
    for (const { abort } of this.#byId.values()) abort.abort()
  }

  #find(id: string): Operation {
    const operation = this.#byId.get(id)
    if (operation !== undefined) return operation
    const detail = `there is no operation '${id}': the last ${OPERATIONS_ENDED_MAX} that ended are remembered, until the broker is restarted`
    throw new ApiError('OPERATION_UNKNOWN', detail, { field: 'id', value: id })
  }

  #checkRoom(): void {
    if (this.#runningCount < OPERATIONS_RUNNING_MAX) return
    throw new ApiError('BUSY', `${this.#runningCount} operations run, the limit; wait for one or cancel it`)
  }

  #run(operation: Operation): void {
    this.#runningCount++
    const { work, abort } = operation
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

  #end(operation: Operation, state: OperationItem['state']): void {
    this.#runningCount--
    operation.state = state
    operation.endedAtMs = this.#env.clock.wallMs()
    for (const waiter of [...operation.waiters]) waiter()
    this.#forgetOldest()
  }

  #forgetOldest(): void {
    let endedCount = this.#byId.size - this.#runningCount
    const ended = [...this.#byId.values()].filter(({ state }) => state !== 'running')
    ended.sort((one, other) => one.endedAtMs! - other.endedAtMs!)
    for (const { id } of ended) {
      if (endedCount-- <= OPERATIONS_ENDED_MAX) return
      this.#byId.delete(id)
    }
  }
}

export function operationsHandlers(operations: Operations): Bound[] {
  return [
    bind(listOperations, () => ({ items: operations.list() })),
    bind(getOperation, ({ params, query, signal }) => operations.whenEnded(params.id, query.waitMs ?? 0, signal)),
    bind(cancelOperation, async ({ params, note }) => {
      const item = await operations.cancel(params.id)
      note(`${item.action} of queue '${item.queue}': ${item.state} after ${item.doneCount} messages`)
      return item
    }),
    bind(resumeOperation, ({ params, note }) => {
      const item = operations.resume(params.id)
      note(`${item.action} of queue '${item.queue}' goes on after ${item.doneCount} messages`)
      return item
    }),
  ]
}
