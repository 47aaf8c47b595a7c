/**
 * Deletes, moves and copies messages by selector, and sends dead letters back to where they came from. What waits is concerned, not
 * what consumers have. Each batch is one group of the log: a message is in one of the two queues, never in both or none.
 */
import type { LogRecord } from '@ternmq/store'
import { queueNameOf } from '../routing/address.ts'
import type { NamedQueue } from '../destinations/destinations.ts'
import type { LogGroup } from '../log/host-log.ts'
import { messageRecord } from '../log/message-record.ts'
import { settledRecord } from '../log/records.ts'
import type { Message, MessageExtras } from '../message/message.ts'
import { copyFor } from '../destinations/mover.ts'
import type { Delivery } from '../queue/delivery.ts'
import type { Queue } from '../queue/queue.ts'
import type { VirtualHost } from '../virtual-host.ts'
import { InTheWay, nowhere, type Obstacle, obstacleFor, refusing } from './obstacles.ts'
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
  /** What is in the way of the rest, which may go another time; what is in `count` is done. */
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
  /** Why messages may not be sent to the queue of that name, whether it is there or not; undefined when they may. All may when left out. */
  readonly refusalToReach?: ((queue: string) => string | undefined) | undefined
}

/** What `Mover.deadLetter` says of a message; a message that goes back is as it was before. */
const DEAD_LETTER_ANNOTATIONS = new Set([
  'originalAddress',
  'originalQueue',
  'earlierQueues',
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
  return transfer(vhost, scan, { kind: MOVE, ...wayTo(target), extrasFor: asItIs }, options)
}

/** Copies what is selected to `target`. Ends early when that is full; a message that is too large for it is left out. */
export function copyWhere(
  vhost: VirtualHost,
  scan: Scan,
  target: NamedQueue,
  options?: TransferOptions,
): Promise<Transferred> {
  return transfer(vhost, scan, { kind: COPY, ...wayTo(target), extrasFor: asItIs }, options)
}

function asItIs({ extras }: Message): MessageExtras | undefined {
  return extras
}

/**
 * Moves dead letters back to the queues that they came from, or all of them to `target`, without what was said of them here. Goes on past
 * those whose queue cannot take them now, since the next one's may; then it has not come to its end, and says what is in the way.
 */
export function redrive(
  vhost: VirtualHost,
  scan: Scan,
  target?: NamedQueue,
  options?: TransferOptions,
): Promise<Transferred> {
  const way: Way =
    target === undefined
      ? { kind: REDRIVE, nameFor: originOf, find: (name) => originalQueue(vhost, name) }
      : { kind: MOVE, ...wayTo(target) }
  const extrasFor = ({ extras }: Message): MessageExtras => {
    const annotations = Object.entries(extras?.annotations ?? {}).filter(([key]) => !DEAD_LETTER_ANNOTATIONS.has(key))
    return { ...extras, annotations: Object.fromEntries(annotations) }
  }
  return transfer(vhost, scan, { ...way, extrasFor }, options)
}

/** Name of the queue that a dead letter was in; undefined when nothing says that. */
function originOf({ extras }: Message): string | undefined {
  return queueNameOf(String(extras?.annotations?.['originalQueue'] ?? ''))
}

/** Made again where that may be. */
function originalQueue({ destinations }: VirtualHost, name: string): NamedQueue | Obstacle {
  const original = destinations.ensure(name)
  return original.ok ? original.value : nowhere(original.detail.text)
}

interface Kind {
  readonly isMove: boolean
  /** The first queue that cannot take a message ends it: all go to the same one. */
  readonly endsAtObstacle: boolean
}

const MOVE: Kind = { isMove: true, endsAtObstacle: true }
const COPY: Kind = { isMove: false, endsAtObstacle: true }
const REDRIVE: Kind = { isMove: true, endsAtObstacle: false }

/** Where messages go. */
interface Way {
  readonly kind: Kind
  /** Undefined: nothing says where. */
  readonly nameFor: (message: Message) => string | undefined
  readonly find: (name: string) => NamedQueue | Obstacle
}

interface Passing extends Way {
  readonly extrasFor: (message: Message) => MessageExtras | undefined
}

function wayTo(target: NamedQueue): Omit<Way, 'kind'> {
  return { nameFor: () => target.name, find: () => target }
}

interface Passage {
  /** Undefined: the original stays. */
  readonly original: Delivery | undefined
  readonly copy: Message
  readonly target: NamedQueue
  readonly isLogged: boolean
}

const NO_DEAD_LETTER: Obstacle = {
  text: 'it is no dead letter: nothing says which queue it came from',
  isFinal: true,
  isNowhere: true,
}

async function transfer(
  vhost: VirtualHost,
  scan: Scan,
  passing: Passing,
  { pace, onProgress, refusalToReach }: TransferOptions = {},
): Promise<Transferred> {
  const { queue } = scan
  const { kind, nameFor, find, extrasFor } = passing
  const inTheWay = new InTheWay()
  let soFar = NOTHING_TRANSFERRED

  /** The copy and where it goes, or why it does not. */
  const passageOf = ({ message }: Found): { readonly copy: Message; readonly target: NamedQueue } | Obstacle => {
    const name = nameFor(message)
    if (name === undefined) return NO_DEAD_LETTER
    const known = inTheWay.get(name)
    if (known !== undefined) return known
    const refusal = refusalToReach?.(name)
    const target = refusal === undefined ? find(name) : refusing(refusal)
    if ('text' in target) return noted(name, target)
    if (kind.isMove && target.queue === queue)
      return { text: `it is in queue '${queue.name}' already`, isFinal: true, isNowhere: true }
    const copy = copyFor(message, extrasFor(message), message.expiresAtMs)
    const obstacle = obstacleFor(target, copy)
    return obstacle === undefined ? { copy, target } : noted(name, obstacle)
  }
  const noted = (name: string, obstacle: Obstacle): Obstacle => {
    if (!obstacle.isFinal) inTheWay.add(name, obstacle)
    return obstacle
  }

  const act = async (batch: readonly Found[]): Promise<Handled> => {
    const passages: Passage[] = []
    let { skippedCount, skippedBecause, refusedCount, refusedBecause } = soFar
    let stopped: string | undefined = undefined
    let upTo = 0
    for (; upTo < batch.length; upTo++) {
      const found = batch[upTo]!
      const passage = passageOf(found)
      if (!('text' in passage)) {
        passages.push(depart(queue, found, passage.copy, passage.target, kind.isMove))
        continue
      }
      const { text, isFinal, isNowhere } = passage
      if (kind.endsAtObstacle && !isFinal) {
        stopped = text
        break
      }
      if (isNowhere) {
        skippedCount++
        skippedBecause ??= text
      } else {
        refusedCount++
        refusedBecause ??= text
      }
    }
    const refusal = await settled(vhost, queue, passages)
    if (refusal?.isFinal === false) {
      // All of them are where they were.
      soFar = { ...soFar, stopped: refusal.text }
      onProgress?.(soFar)
      return { upTo: 0, count: 0, goesOn: false }
    }
    // A message that the log never takes is a batch of its own.
    const count = refusal === undefined ? passages.length : 0
    refusedCount += passages.length - count
    refusedBecause ??= refusal?.text
    soFar = { count: soFar.count + count, skippedCount, skippedBecause, refusedCount, refusedBecause, stopped }
    onProgress?.(soFar)
    return { upTo, count, goesOn: stopped === undefined }
  }
  const isReadable = await scan.run(vhost, act, pace)
  return { ...soFar, stopped: soFar.stopped ?? whyEnded(queue, isReadable) ?? inTheWay.text }
}

function whyEnded({ name, isEnding }: Queue, isReadable: boolean): string | undefined {
  if (isEnding) return `queue '${name}' was deleted meanwhile`
  return isReadable ? undefined : 'the log has ended, and nothing can be read of it'
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

/** By the log. */
type NotTaken = Pick<Obstacle, 'text' | 'isFinal'>

/** Resolves when the batch has arrived; with the reason when the log did not take it and all is as before. */
function settled(vhost: VirtualHost, queue: Queue, passages: readonly Passage[]): Promise<NotTaken | undefined> {
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
  readonly #then: (refusal: NotTaken | undefined) => void

  constructor(
    vhost: VirtualHost,
    queue: Queue,
    passages: readonly Passage[],
    recordCount: number,
    then: (refusal: NotTaken | undefined) => void,
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
