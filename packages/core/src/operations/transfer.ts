/**
 * Deletes, moves and copies messages by selector, and sends dead letters back to where they came from. What waits is concerned, not
 * what consumers have. Each batch is one group of the log: a message is in one of the two queues, never in both or none.
 */
import type { LogRecord } from '@ternmq/store'
import { queueNameOf } from '../address.ts'
import type { NamedQueue } from '../destinations.ts'
import type { LogGroup } from '../log/host-log.ts'
import { messageRecord, settledRecord } from '../log/records.ts'
import type { Message, MessageExtras } from '../message.ts'
import { copyFor } from '../mover.ts'
import type { Delivery } from '../queue/delivery.ts'
import type { Queue } from '../queue/queue.ts'
import type { VirtualHost } from '../virtual-host.ts'
import type { Found, Handled, Pace, Scan } from './scan.ts'

/** How far it has got. */
export interface Transferred {
  readonly count: number
  /** Selected and left where they are: there is no queue to send them to. */
  readonly skippedCount: number
  /** Why not, of the first of them. */
  readonly skippedBecause: string | undefined
  /** Selected and left where they are: the queue that they were to go to cannot take them. */
  readonly refusedCount: number
  /** Why not, of the first of them. */
  readonly refusedBecause: string | undefined
  /** Why it ended before its time; what is in `count` is done. */
  readonly stopped: string | undefined
}

export const NOTHING_TRANSFERRED: Transferred = {
  count: 0,
  skippedCount: 0,
  skippedBecause: undefined,
  refusedCount: 0,
  refusedBecause: undefined,
  stopped: undefined,
}

/** Who looks on. */
export interface TransferOptions {
  /** As fast as it goes when left out. */
  readonly pace?: Pace | undefined
  /** After each batch. */
  readonly onProgress?: ((soFar: Transferred) => void) | undefined
}

/** What `Mover.deadLetter` says of a message; a message that goes back is as it was before. */
const DEAD_LETTER_ANNOTATIONS = new Set([
  'originalAddress',
  'originalQueue',
  'cause',
  'reason',
  'failedCount',
  'expiredAtMs',
  'movedAtMs',
])

/** Ends what is selected. Resolves when the log has it. */
export async function deleteWhere(
  vhost: VirtualHost,
  scan: Scan,
  { pace, onProgress }: TransferOptions = {},
): Promise<Transferred> {
  const { queue } = scan
  let soFar = NOTHING_TRANSFERRED
  const isReadable = await scan.run(
    vhost,
    async (batch) => {
      for (const { line, position } of batch) {
        queue.takeOut(line, position)
        queue.finishAt(line, position)
      }
      await vhost.log.settledSoFar()
      soFar = { ...soFar, count: soFar.count + batch.length }
      onProgress?.(soFar)
      return { upTo: batch.length, count: batch.length, goesOn: true }
    },
    pace,
  )
  return { ...soFar, stopped: whyEnded(queue, isReadable) }
}

/** Moves what is selected to `target`. Ends early when that is full; a message that is too large for it is left out. */
export function moveWhere(
  vhost: VirtualHost,
  scan: Scan,
  target: NamedQueue,
  options?: TransferOptions,
): Promise<Transferred> {
  return transfer(vhost, scan, MOVE, (message) => ({ target, extras: message.extras }), options)
}

/** Copies what is selected to `target`. Ends early when that is full; a message that is too large for it is left out. */
export function copyWhere(
  vhost: VirtualHost,
  scan: Scan,
  target: NamedQueue,
  options?: TransferOptions,
): Promise<Transferred> {
  return transfer(vhost, scan, COPY, (message) => ({ target, extras: message.extras }), options)
}

/**
 * Moves dead letters back to the queues that they came from, or all of them to `target`, without what was said of them here. Goes on past
 * those whose queue is full: the next one's may not be.
 */
export function redrive(
  vhost: VirtualHost,
  scan: Scan,
  target?: NamedQueue,
  options?: TransferOptions,
): Promise<Transferred> {
  return transfer(
    vhost,
    scan,
    target === undefined ? REDRIVE : MOVE,
    ({ extras }) => {
      const before = target ?? originOf(vhost, extras)
      if (typeof before === 'string') return before
      const annotations = Object.entries(extras?.annotations ?? {}).filter(([key]) => !DEAD_LETTER_ANNOTATIONS.has(key))
      return { target: before, extras: { ...extras, annotations: Object.fromEntries(annotations) } }
    },
    options,
  )
}

/** The queue that a dead letter was in, made again where that may be; why there is none. */
function originOf(vhost: VirtualHost, extras: MessageExtras | undefined): NamedQueue | string {
  const name = queueNameOf(String(extras?.annotations?.['originalQueue'] ?? ''))
  if (name === undefined) return 'it is no dead letter: nothing says which queue it came from'
  const original = vhost.destinations.ensure(name)
  return original.ok ? original.value : original.detail.text
}

interface Kind {
  readonly isMove: boolean
  /** The first full queue ends it. */
  readonly endsWhenFull: boolean
}

const MOVE: Kind = { isMove: true, endsWhenFull: true }
const COPY: Kind = { isMove: false, endsWhenFull: true }
const REDRIVE: Kind = { isMove: true, endsWhenFull: false }

/** Why a message does not go where it should. */
interface Obstacle {
  readonly text: string
  /** It would not go another time either. */
  readonly isFinal: boolean
}

interface Destination {
  readonly target: NamedQueue
  readonly extras: MessageExtras | undefined
}

interface Passage {
  /** Undefined: the original stays. */
  readonly original: Delivery | undefined
  readonly copy: Message
  readonly target: NamedQueue
  readonly isLogged: boolean
}

async function transfer(
  vhost: VirtualHost,
  scan: Scan,
  { isMove, endsWhenFull }: Kind,
  destinationOf: (message: Message) => Destination | string,
  { pace, onProgress }: TransferOptions = {},
): Promise<Transferred> {
  const { queue } = scan
  let soFar = NOTHING_TRANSFERRED
  const act = async (batch: readonly Found[]): Promise<Handled> => {
    const passages: Passage[] = []
    let { skippedCount, skippedBecause, refusedCount, refusedBecause } = soFar
    let stopped: string | undefined = undefined
    let upTo = 0
    for (; upTo < batch.length; upTo++) {
      const found = batch[upTo]!
      const destination = destinationOf(found.message)
      if (typeof destination === 'string' || (isMove && destination.target.queue === queue)) {
        skippedCount++
        skippedBecause ??= typeof destination === 'string' ? destination : `it is in queue '${queue.name}' already`
        continue
      }
      const { target, extras } = destination
      const copy = copyFor(found.message, extras, found.message.expiresAtMs)
      const obstacle = obstacleFor(target, copy)
      if (obstacle === undefined) {
        passages.push(depart(queue, found, copy, target, isMove))
        continue
      }
      if (endsWhenFull && !obstacle.isFinal) {
        stopped = obstacle.text
        break
      }
      refusedCount++
      refusedBecause ??= obstacle.text
    }
    const obstacle = await settled(vhost, queue, passages)
    if (obstacle?.isFinal === false) {
      // All of them are where they were.
      soFar = { ...soFar, stopped: obstacle.text }
      onProgress?.(soFar)
      return { upTo: 0, count: 0, goesOn: false }
    }
    // A message that the log never takes is a batch of its own.
    const count = obstacle === undefined ? passages.length : 0
    refusedCount += passages.length - count
    refusedBecause ??= obstacle?.text
    soFar = { count: soFar.count + count, skippedCount, skippedBecause, refusedCount, refusedBecause, stopped }
    onProgress?.(soFar)
    return { upTo, count, goesOn: stopped === undefined }
  }
  const isReadable = await scan.run(vhost, act, pace)
  return { ...soFar, stopped: soFar.stopped ?? whyEnded(queue, isReadable) }
}

function whyEnded({ name, isClosed }: Queue, isReadable: boolean): string | undefined {
  if (isClosed) return `queue '${name}' was deleted meanwhile`
  return isReadable ? undefined : 'the log has ended, and nothing can be read of it'
}

/** A ring makes room by itself, but not for more than it can ever have. */
function obstacleFor({ name, queue }: NamedQueue, copy: Message): Obstacle | undefined {
  if (queue.isClosed) return { text: `queue '${name}' was deleted meanwhile`, isFinal: false }
  const { bytesMax, whenFull } = queue.settings
  if (copy.size > bytesMax) {
    return {
      text: `a message of ${copy.size} bytes is larger than queue '${name}' can be: its bytesMax is ${bytesMax}`,
      isFinal: true,
    }
  }
  if (whenFull === 'drop-oldest' || !queue.isFullFor(copy.size)) return undefined
  return {
    text: `queue '${name}' is full: ${queue.waitingCount} messages, ${queue.waitingBytes} bytes`,
    isFinal: false,
  }
}

/** From here on the copy counts against the limits of its queue, and nobody can have the original. */
function depart(
  queue: Queue,
  { line, position, message }: Found,
  copy: Message,
  target: NamedQueue,
  isMove: boolean,
): Passage {
  const isLogged = target.queue.number !== 0 && copy.durable && copy.assurance !== 0
  let original: Delivery | undefined = undefined
  if (isMove) {
    original = queue.entryFor(message, line, position)
    queue.takeOut(line, position)
  }
  copy.detach()
  target.queue.underWayCount++
  target.queue.underWayBytes += copy.size
  return { original, copy, target, isLogged }
}

/** Resolves when the batch has arrived; with the reason when the log did not take it and all is as before. */
function settled(vhost: VirtualHost, queue: Queue, passages: readonly Passage[]): Promise<Obstacle | undefined> {
  return new Promise((resolve) => {
    const records: LogRecord[] = []
    for (const { copy, target, isLogged } of passages) {
      if (isLogged) records.push(messageRecord(copy, [target.queue.number], target.queue.hasAttachedConsumer))
    }
    const leaving = passages.flatMap(({ original }) =>
      original !== undefined && queue.isLogged(original) ? [original.message.lsn] : [],
    )
    if (leaving.length > 0)
      records.push(
        settledRecord(
          leaving.map(() => queue.number),
          leaving,
        ),
      )
    const group = new Transfer(vhost, queue, passages, records.length, resolve)
    if (records.length === 0) group.onCommitted(0)
    else vhost.log.appendAll(records, group)
  })
}

class Transfer implements LogGroup {
  ticket = 0
  readonly recordCount: number
  readonly #vhost: VirtualHost
  readonly #queue: Queue
  readonly #passages: readonly Passage[]
  readonly #then: (obstacle: Obstacle | undefined) => void

  constructor(
    vhost: VirtualHost,
    queue: Queue,
    passages: readonly Passage[],
    recordCount: number,
    then: (obstacle: Obstacle | undefined) => void,
  ) {
    this.#vhost = vhost
    this.#queue = queue
    this.#passages = passages
    this.recordCount = recordCount
    this.#then = then
  }

  onCommitted(firstLsn: number): void {
    let lsn = firstLsn
    for (const { original, copy, target, isLogged } of this.#passages) {
      arrive(target.queue, copy)
      if (isLogged) copy.lsn = lsn++
      if (original !== undefined) this.#end(original)
      target.queue.offer(copy, target.match)
    }
    this.#then(undefined)
  }

  onRefused(text: string, isFinal: boolean): void {
    for (const { original, copy, target } of this.#passages) {
      arrive(target.queue, copy)
      if (original !== undefined) this.#queue.takeBack(original)
    }
    this.#then({ text: `the log did not take it: ${text}`, isFinal })
  }

  #end(original: Delivery): void {
    const isLogged = this.#queue.isLogged(original)
    const wasThere = original.line!.remove(original.position)
    if (isLogged && wasThere) this.#vhost.log.unref(original.message.lsn)
  }
}

function arrive(target: Queue, copy: Message): void {
  target.underWayCount--
  target.underWayBytes -= copy.size
}
