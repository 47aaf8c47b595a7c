/** Moves, copies, deletes and retries messages: one, many, or all that a selector wants, as operations that others can watch and stop. */
import { type ActionBody, actOnMessages, type QueueParams, several } from '@ternmq/api'
import {
  copyWhere,
  deleteWhere,
  isReservedName,
  type Message,
  moveWhere,
  type NamedQueue,
  type Pace,
  QUEUE_PREFIX,
  redrive,
  Scan,
  type Transferred,
  type TransferOptions,
  type VirtualHost,
} from '@ternmq/core'
import { ApiError } from '../errors.ts'
import { bind, type Bound, type Caller } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import {
  checkMayBrowseQueue,
  checkMayManage,
  hasDiedBefore,
  refusalToSend,
  type Withholding,
  withholdingFrom,
} from '../messages/message-access.ts'
import { MessagePace } from './message-pace.ts'
import { readSelector } from '../messages/message-selector.ts'
import type { AgainBody, OperationRecord } from './operation-records.ts'
import {
  OPERATION_WAIT_MS,
  type OperationContext,
  type OperationProgress,
  type Operations,
  type OperationWork,
} from './operations.ts'
import { queueOf, vhostOf } from '../vhost.ts'

export function actionsHandlers(broker: ManagedBroker, operations: Operations): Bound[] {
  return [
    bind(actOnMessages, async ({ params, query, body, caller, signal, note }) => {
      const { id } = operations.begin(new Action(broker, params, body, caller))
      const item = await operations.whenEnded(id, query.waitMs ?? OPERATION_WAIT_MS, signal)
      if (item.state === 'running') operations.tellEnd(id)
      const where = body.target === undefined ? '' : ` to queue '${body.target}'`
      note(
        `${body.action} in queue '${params.queue}'${where}: ${item.state} after ${several(item.doneCount, 'message')}, operation ${id}`,
      )
      return item
    }),
  ]
}

/** Goes on, after a restart, with what had ended undone or was cut off, as far as the same call has the rest done. */
export class CutOffAction implements OperationWork {
  readonly action: ActionBody['action']
  readonly queue: string
  readonly target: string | undefined
  readonly user: string
  readonly #broker: ManagedBroker
  readonly #again: AgainBody | undefined
  readonly #before: OperationProgress
  #total: number | undefined
  #work: Action | undefined = undefined

  constructor(broker: ManagedBroker, { action, queue, target, user, total, again, doneCount, ended }: OperationRecord) {
    this.#broker = broker
    this.action = action
    this.queue = queue
    this.target = target
    this.user = user
    this.#again = again
    this.#total = total
    // Of what was cut off nobody knows how far it was: what is left is counted anew.
    this.#before =
      ended === undefined || ended.state === 'interrupted' ? NOTHING : { ...NOTHING, doneCount, reason: ended.reason }
  }

  /** Once it goes on, of what was done and was left. */
  get total(): number | undefined {
    return this.#total
  }

  get canResume(): boolean {
    return this.#again !== undefined && this.#work?.canResume !== false
  }

  again(isAllKnown: boolean): AgainBody | undefined {
    return this.#work === undefined ? this.#again : this.#work.again(isAllKnown)
  }

  /** Throws ApiError. */
  takeOver(caller: Caller): void {
    if (this.#work !== undefined) return this.#work.takeOver(caller)
    const { vhost } = this.#broker
    const params = { vhost: vhost.name, queue: this.queue }
    this.#work = new Action(this.#broker, params, this.#again!, caller, this.#before)
    this.#total = this.#work.total
  }

  run(context: OperationContext): Promise<'done' | 'stopped'> {
    return this.#work!.run(context)
  }
}

const NOTHING: OperationProgress = { doneCount: 0, skippedCount: 0, refusedCount: 0, reason: undefined }

/** Throws ApiError where there is no such queue, the caller may not look into it and would, or the body asks for what cannot be. */
class Action implements OperationWork {
  readonly action: ActionBody['action']
  readonly queue: string
  readonly target: string | undefined
  readonly total: number | undefined
  readonly user: string
  readonly #broker: ManagedBroker
  readonly #vhost: VirtualHost
  readonly #named: NamedQueue
  readonly #params: QueueParams
  readonly #body: ActionBody
  #caller: Caller
  #withholding: Withholding
  /** Of this run: dead letters that the caller may not see, and why of the first. */
  #withheldCount = 0
  #withheldBecause: string | undefined = undefined
  #to: NamedQueue | undefined
  readonly #scan: Scan
  readonly #perSecond: number | undefined
  /** In another life; the body is about what was left then. */
  readonly #doneBefore: number
  #before: OperationProgress
  #isBegun = false

  constructor(
    broker: ManagedBroker,
    params: QueueParams,
    body: ActionBody,
    caller: Caller,
    before: OperationProgress = NOTHING,
  ) {
    this.#broker = broker
    this.#vhost = broker.vhost
    this.#params = params
    this.#body = body
    this.#caller = caller
    this.#withholding = withholdingFrom(broker, caller)
    this.#named = queueOf(vhostOf(broker, params), params.queue)
    checkMayTake(broker, params, body, caller)
    checkWhich(body)
    this.#to = targetOf(broker.vhost, this.#named, body)
    checkMaySend(broker, body, caller)
    const selector = readSelector(body.selector)
    const { limit, ids } = body
    this.#scan = new Scan(this.#named.queue, { selector, limit, ids, mayTake: (message) => this.#mayTake(message) })
    this.#perSecond = body.perSecond
    this.#doneBefore = before.doneCount
    this.#before = before
    this.action = body.action
    this.queue = params.queue
    this.target = body.target
    this.user = caller.user
    const total = totalOf(this.#named, body)
    this.total = total === undefined ? undefined : this.#doneBefore + total
  }

  get missingIds(): readonly string[] | undefined {
    return this.#scan.missingIds
  }

  /** Of a queue that is gone nothing is left. */
  get canResume(): boolean {
    return !this.#named.queue.isClosed
  }

  again(isAllKnown: boolean): AgainBody | undefined {
    return againOf(this.#body, isAllKnown ? this.#before.doneCount - this.#doneBefore : undefined)
  }

  /** Whoever goes on with it does that by his own rights. Throws ApiError. */
  takeOver(caller: Caller): void {
    this.#checkMayAct(caller)
    this.#caller = caller
    this.#withholding = withholdingFrom(this.#broker, caller)
  }

  /** What it shows, its caller may see; a dead letter of a dead letter forgets where it was first when it goes back. */
  #mayTake(message: Message): boolean {
    if (!shows(this.#body) && !(this.action === 'retry' && hasDiedBefore(message))) return true
    const refusal = this.#withholding(message)
    if (refusal === undefined) return true
    this.#withheldCount++
    this.#withheldBecause ??= refusal
    return false
  }

  /** By the rights that the caller has now. Throws ApiError. */
  #checkMayAct(caller: Caller): void {
    checkMayTake(this.#broker, this.#params, this.#body, caller)
    checkMaySend(this.#broker, this.#body, caller)
  }

  /** Why whoever had it done may not have more of it done; undefined when he may. */
  #refusalToGoOn(): string | undefined {
    const { user } = this.#caller
    if (!this.#caller.mayGoOn())
      return `user '${user}', who had it done, is not let in by that login or token any more; whoever may do the same can resume it`
    try {
      this.#checkMayAct(this.#caller)
      return undefined
    } catch (error) {
      if (error instanceof ApiError) return error.message
      throw error
    }
  }

  /** What was left behind is tried again; of a copy nothing was, since it goes from front to back. */
  async run({ signal, report }: OperationContext): Promise<'done' | 'stopped'> {
    if (this.#isBegun && this.action !== 'copy') this.#scan.rewind()
    // It may have been deleted and made again, which is why somebody resumes.
    if (this.target !== undefined) this.#to = this.#vhost.destinations.find(this.target) ?? this.#to
    this.#isBegun = true
    this.#withheldCount = 0
    this.#withheldBecause = undefined
    const before = this.#before
    let { doneCount } = before
    let refusal: string | undefined = undefined
    const pace = new MessagePace(this.#vhost.env.clock, signal, this.#perSecond, () => doneCount)
    // Nothing is done by rights that have ended since.
    const asked: Pace = {
      batchMax: pace.batchMax,
      next: async () => (await pace.next()) && (refusal = this.#refusalToGoOn()) === undefined,
    }
    const onProgress = (soFar: Transferred): void => {
      doneCount = before.doneCount + soFar.count
      this.#before = this.#progressOf(before, soFar)
      report(this.#before)
    }
    const transferred = await this.#transfer({
      pace: asked,
      onProgress,
      refusalToReach: (queue) => this.#refusalToReach(queue),
    })
    // A copy has gone past them for good.
    const withheld = this.action === 'copy' ? undefined : this.#withheldBecause
    const stopped = refusal ?? transferred.stopped ?? withheld
    onProgress({ ...transferred, stopped })
    return stopped === undefined && !signal.aborted ? 'done' : 'stopped'
  }

  /** Of a copy all that was skipped counts; of the others it was looked at again, and counts once. */
  #progressOf(
    before: OperationProgress,
    { count, skippedCount, skippedBecause, refusedCount, refusedBecause, stopped }: Transferred,
  ): OperationProgress {
    const isCopy = this.action === 'copy'
    return {
      doneCount: before.doneCount + count,
      skippedCount: skippedCount + (isCopy ? before.skippedCount : 0),
      refusedCount: refusedCount + this.#withheldCount + (isCopy ? before.refusedCount : 0),
      reason:
        stopped ?? refusedBecause ?? this.#withheldBecause ?? skippedBecause ?? (isCopy ? before.reason : undefined),
    }
  }

  /** What comes back to a durable subscription was its own: no permission is about its queue. */
  #refusalToReach(queue: string): string | undefined {
    return isReservedName(queue) ? undefined : refusalToSend(this.#broker, queue, this.#caller)
  }

  #transfer(options: TransferOptions): Promise<Transferred> {
    switch (this.action) {
      case 'move':
        return moveWhere(this.#vhost, this.#scan, this.#to!, options)
      case 'copy':
        return copyWhere(this.#vhost, this.#scan, this.#to!, options)
      case 'delete':
        return deleteWhere(this.#vhost, this.#scan, options)
      case 'retry':
        return redrive(this.#vhost, this.#scan, this.#to, options)
    }
  }
}

/** Whether the caller learns something of the messages: in the queue that they go to, or by what a selector wants. */
function shows({ target, selector }: ActionBody): boolean {
  return target !== undefined || selector !== undefined
}

/** Throws ApiError('NOT_ALLOWED'). */
function checkMayTake(broker: ManagedBroker, { queue }: QueueParams, body: ActionBody, caller: Caller): void {
  if (shows(body)) checkMayBrowseQueue(broker, queue, caller)
  if (body.action !== 'copy') checkMayManage(broker, QUEUE_PREFIX + queue, caller)
}

/** Throws ApiError('NOT_ALLOWED'). Of dead letters that go back each has a queue of its own, which is asked about then. */
function checkMaySend(broker: ManagedBroker, { target }: ActionBody, caller: Caller): void {
  const refusal = target === undefined ? undefined : refusalToSend(broker, target, caller)
  if (refusal === undefined) return
  throw new ApiError('NOT_ALLOWED', refusal, { field: 'target', value: target, rule: 'write' })
}

/**
 * What has the rest done after a restart. Not for ids, which mean something else then, nor where a limit counts what was done before and
 * nobody knows that, nor for a copy: it would be there twice.
 */
function againOf({ action, ids, limit, ...body }: ActionBody, doneCount: number | undefined): AgainBody | undefined {
  if (ids !== undefined || action === 'copy') return undefined
  if (limit === undefined) return { action, ...body }
  return doneCount === undefined || doneCount >= limit ? undefined : { action, ...body, limit: limit - doneCount }
}

/** Nobody empties a queue by leaving something out. */
function checkWhich({ ids, selector, all }: ActionBody): void {
  const given = [ids !== undefined && 'ids', selector !== undefined && 'selector', all === true && 'all'].filter(
    (name) => name !== false,
  )
  const rule = 'one of ids, selector and all: true'
  if (given.length !== 1) {
    const said = given.length === 0 ? 'nothing says which messages' : `${given.join(' and ')} are given`
    throw new ApiError('INVALID', `${said}; give ${rule}`, { field: 'ids', value: ids, rule })
  }
}

/** It must be there: a name that was mistyped would become a queue of its own. */
function targetOf(vhost: VirtualHost, from: NamedQueue, { action, target }: ActionBody): NamedQueue | undefined {
  const rule = 'the name of another queue'
  if (target === undefined) {
    if (action !== 'move' && action !== 'copy') return undefined
    throw new ApiError('INVALID', `${action} needs a target: ${rule}`, { field: 'target', rule })
  }
  if (action === 'delete')
    throw new ApiError('INVALID', 'delete has no target', { field: 'target', value: target, rule: 'left out' })
  const named = vhost.destinations.find(target)
  if (named === undefined) {
    throw new ApiError('QUEUE_UNKNOWN', `there is no queue '${target}'; make it first`, {
      field: 'target',
      value: target,
      rule,
    })
  }
  if (named !== from) return named
  throw new ApiError('INVALID', `the messages are in queue '${target}' already`, {
    field: 'target',
    value: target,
    rule,
  })
}

/** Undefined where only the selector knows. */
function totalOf({ queue }: NamedQueue, { ids, all, limit = Infinity }: ActionBody): number | undefined {
  if (ids !== undefined) return Math.min(new Set(ids).size, limit)
  return all === true ? Math.min(queue.waitingCount, limit) : undefined
}
