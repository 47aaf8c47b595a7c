/** What a client might do next: mostly what it may, now and then what it may not, whole and in pieces. */
import type { Dice } from '@ternmq/testkit/fuzzer'
import type { Fields } from '../wire/composites.ts'
import { type Action, type Attach, OUTCOMES, type Open, type Send } from './session-actions.ts'
import { ReceivingLink, type SendingLink } from './session-links.ts'
import type { FuzzPeer } from './session-peer.ts'
import { type SessionRun, SLOTS } from './session-run.ts'
import type { AnyLink, ClientSession } from './session-side.ts'
import { HARMLESS_NAMES, WRONG_NAMES } from './session-wrong.ts'

const CHANNELS = 3
const HANDLES = 6
const BUSY_QUEUES = ['a', 'a', 'a', 'b', 'b', 'full', 'ring', 'gone'] as const
const SOURCES = [
  'queue://DLQ',
  'queue://>',
  'queue://b?consumer.priority=5',
  'topic://t.1',
  'topic://t.*',
  'topic://t.>',
  'topic://t.1',
  'queue://a::b',
  '/exchanges/amq.direct/x',
  '',
]
const TARGETS = [
  'topic://t.1',
  'topic://t.2',
  'queue://a,queue://b',
  'queue://full,topic://t.1',
  'topic://t.*',
  'queue://',
  '$bad',
]
const NAMES = ['sub', 'sub|1', 'sub|2', 'sub|global', 'other', '__proto__', '']
const CONTAINERS = ['one', 'two', 'three', 'four', '__proto__']
const WAITS_MS = [1, 250, 1_000, 1_000, 3_000, 4_500, 12_000, 21_000]
/** Close to where numbers of 32 bits begin again. */
const NEAR_WRAP = 2 ** 32 - 7
/** More than half of all numbers: as far as a client can give credit. */
const MOST_CREDIT = 2 ** 31 - 1

export class Generator {
  readonly #dice: Dice
  readonly #run: SessionRun

  constructor(dice: Dice, run: SessionRun) {
    this.#dice = dice
    this.#run = run
  }

  /** A few actions that belong together. */
  next(): Action[] {
    const dice = this.#dice
    const slot = dice.below(SLOTS)
    const peer = this.#run.peers[slot]
    if (peer === undefined || peer.isOver || dice.oneIn(peer.isSound ? 200 : 20)) return this.#open(slot)
    const kind = dice.weighted({
      talk: 600,
      publish: 40,
      turn: 50,
      wait: 15,
      end: 7,
      reading: 15,
      beat: 10,
      garble: 3,
      delete: 2,
      consume: 4,
      leave: 4,
      restart: this.#run.hasLog ? 6 : 0,
    })
    switch (kind) {
      case 'talk':
        return this.#pushed(slot, Array.from({ length: 1 + dice.below(4) }, () => this.#talk(slot, peer)).flat())
      case 'publish':
        return [{ do: 'publish', queue: dice.pick(BUSY_QUEUES), assurance: dice.oneIn(4) ? 0 : 1 }]
      case 'wait':
        return [{ do: 'wait', ms: dice.pick(WAITS_MS) }]
      case 'end':
        return [
          { do: dice.pick(['fin', 'rst', 'close']), slot },
          { do: 'push', slot, bytes: 0 },
        ]
      case 'reading':
        return [{ do: dice.oneIn(2) ? 'stop' : 'read', slot }]
      case 'beat':
        return this.#pushed(slot, [{ do: 'beat', slot }])
      case 'garble':
        return this.#pushed(slot, [
          ...this.#talk(slot, peer),
          { do: 'garble', slot, at: dice.below(400), octet: dice.below(256) },
        ])
      case 'delete':
        return [{ do: 'delete', queue: 'gone' }]
      case 'consume':
        return [{ do: 'consume', queue: dice.pick(BUSY_QUEUES) }]
      default:
        return [{ do: kind }]
    }
  }

  #open(slot: number): Action[] {
    const dice = this.#dice
    const open: Open = {
      do: 'open',
      slot,
      login: dice.oneIn(4) ? 'sasl' : 'none',
      container: dice.oneIn(3) ? dice.pick(CONTAINERS) : `c${slot}`,
      kernelBytes: dice.oneIn(5) ? 400 : 65_536,
      frameBytes: dice.pick([512, 512, 700, 4_096, 100_000]),
      ...(dice.oneIn(4) && { idleMs: dice.pick([1_000, 5_000]) }),
    }
    if (dice.oneIn(40))
      return [
        open,
        { do: 'raw', slot, hex: Buffer.from(dice.bytes(1 + dice.below(40))).toString('hex') },
        ...this.#push(slot),
      ]
    return [
      open,
      ...this.#push(slot),
      { do: 'turn' },
      { do: 'begin', slot, channel: 0, window: this.#window(), firstId: this.#firstNumber() },
      { do: 'push', slot, bytes: 0 },
    ]
  }

  #talk(slot: number, peer: FuzzPeer): Action[] {
    const dice = this.#dice
    const channel = dice.below(CHANNELS)
    const session = peer.sessions.get(channel) ?? [...peer.sessions.values()][0]
    if (session === undefined || (dice.oneIn(20) && !peer.sessions.has(channel)))
      return [{ do: 'begin', slot, channel, window: this.#window(), firstId: this.#firstNumber() }]
    const links = [...session.links.values()].filter(({ isAttached }) => isAttached)
    if (links.length < 2 || dice.oneIn(15)) return [this.#attach(session)]
    return this.#onSession(session, dice.pick(links))
  }

  #onSession(session: ClientSession, link: AnyLink): Action[] {
    const dice = this.#dice
    const place = { slot: this.#run.slotOf(session.peer), channel: session.channel }
    const at = { ...place, handle: link.handle }
    const kind = dice.weighted({
      link: 200,
      settle: 60,
      window: 15,
      confirm: 10,
      detach: 7,
      end: 1,
      wrong: 1,
      harmless: 2,
    })
    switch (kind) {
      case 'link':
        return link instanceof ReceivingLink ? this.#receive(at) : this.#send(at, link)
      case 'settle':
        return [this.#settle(place, session)]
      case 'window':
        return [{ do: kind, ...place, window: this.#window(), ...(dice.oneIn(4) && { echo: true }) }]
      case 'confirm':
        return [{ do: kind, ...place }]
      case 'detach':
        return [{ do: kind, ...at, closed: !dice.oneIn(4) }]
      case 'end':
        return [{ do: kind, ...place }]
      default:
        return [{ do: 'wrong', ...at, what: dice.pick(kind === 'wrong' ? WRONG_NAMES : HARMLESS_NAMES) }]
    }
  }

  #receive(at: Place): Action[] {
    const dice = this.#dice
    const credit = dice.weighted({ few: 16, none: 2, most: 1 })
    const count = credit === 'few' ? 1 + dice.below(12) : credit === 'none' ? 0 : MOST_CREDIT
    return [
      { do: 'flow', ...at, credit: count, ...(dice.oneIn(5) && { drain: true }), ...(dice.oneIn(8) && { echo: true }) },
    ]
  }

  #send(at: Place, link: SendingLink): Action[] {
    const dice = this.#dice
    if (link.wish.role === 'coordinator') return [this.#transact(at, link.session.peer)]
    if (link.begun !== undefined && !dice.oneIn(4))
      return [{ do: dice.weighted({ go: 2, complete: 5, abort: 1 }), ...at }]
    return [this.#message(at, link)]
  }

  #transact(at: Place, { dealings }: FuzzPeer): Action {
    const dice = this.#dice
    if (dealings.length < 2 || (dealings.length < 6 && dice.oneIn(3))) return { do: 'declare', ...at }
    return { do: 'discharge', ...at, transaction: dice.below(8), fail: dice.oneIn(3) }
  }

  #message(at: Place, { session, wish }: SendingLink): Send {
    const dice = this.#dice
    const isLarge = dice.oneIn(12)
    return {
      do: 'send',
      ...at,
      size: dice.below(isLarge ? 3_800 : 60),
      frames: dice.oneIn(5) ? 2 + dice.below(3) : 1,
      settled: dice.oneIn(5),
      durable: dice.oneIn(2),
      body: dice.pick(['data', 'data', 'data', 'value', 'parts']),
      ...(session.peer.dealings.length > 0 && dice.oneIn(2) && { transaction: dice.below(8) }),
      ...(dice.oneIn(25) && { ttlMs: dice.pick([0, 1, 3_000]) }),
      ...(dice.oneIn(25) && { delayMs: dice.pick([0, 1, 2_000]) }),
      ...(wish.address === undefined && {
        to: dice.oneIn(8) ? dice.pick(TARGETS) : `queue://${dice.pick(BUSY_QUEUES)}`,
      }),
      ...(dice.oneIn(8) && { frames: 3, rest: true }),
    }
  }

  #settle(place: Omit<Place, 'handle'>, { held, peer }: ClientSession): Action {
    const dice = this.#dice
    return {
      do: 'settle',
      ...place,
      at: dice.oneIn(3) ? 0 : dice.below(Math.max(1, held.length)),
      count: dice.oneIn(2) ? 1 : 1 + dice.below(10),
      outcome: dice.oneIn(2) ? 'accepted' : dice.pick(OUTCOMES),
      settled: !dice.oneIn(4),
      ...(peer.dealings.length > 0 && dice.oneIn(3) && { transaction: dice.below(8) }),
    }
  }

  // ── links ──

  #attach(session: ClientSession): Attach {
    const dice = this.#dice
    const free = Array.from({ length: HANDLES }, (_, index) => index).filter((each) => !session.links.has(each))
    const handle = free.length === 0 ? HANDLES : dice.pick(free)
    const role = dice.weighted({ sender: 12, receiver: 14, coordinator: 3 })
    const other = [...session.peer.links()].at(-1)
    return {
      do: 'attach',
      slot: this.#run.slotOf(session.peer),
      channel: session.channel,
      handle,
      role,
      name:
        dice.oneIn(20) && other !== undefined
          ? other.wish.name
          : dice.oneIn(12)
            ? dice.pick(NAMES)
            : `${role}-${session.channel}-${handle}`,
      ...(role !== 'coordinator' &&
        dice.oneIn(2) && { settles: dice.pick(['unsettled', 'unsettled', 'settled', 'mixed'] as const) }),
      ...(dice.oneIn(4) && { second: true }),
      ...(role !== 'receiver' && dice.oneIn(2) && { firstCount: this.#firstNumber() }),
      ...(role === 'coordinator' ? {} : role === 'sender' ? this.#target() : this.#source()),
    }
  }

  #target(): Partial<Attach> {
    const dice = this.#dice
    if (dice.oneIn(8)) return {}
    if (dice.oneIn(12)) return { terminus: { dynamic: true, ...this.#kindOfTemporary() } }
    return { address: dice.oneIn(6) ? dice.pick(TARGETS) : `queue://${dice.pick(BUSY_QUEUES)}` }
  }

  #source(): Partial<Attach> {
    const dice = this.#dice
    if (dice.oneIn(12)) return { terminus: { dynamic: true, ...this.#kindOfTemporary() } }
    if (dice.oneIn(25)) return {}
    const isTopic = dice.oneIn(5)
    const address = isTopic ? 'topic://t.1' : dice.oneIn(8) ? dice.pick(SOURCES) : `queue://${dice.pick(BUSY_QUEUES)}`
    const terminus: Fields = {
      ...(isTopic &&
        dice.oneIn(2) && { durable: dice.below(3), expiryPolicy: dice.pick(['never', 'session-end', 'link-detach']) }),
      ...(isTopic && dice.oneIn(2) && { capabilities: dice.pick([['shared'], ['shared', 'global'], ['topic']]) }),
      ...(dice.oneIn(isTopic ? 40 : 8) && { distributionMode: dice.pick(['copy', 'copy', 'move']) }),
      ...(dice.oneIn(10) && { defaultOutcome: { kind: dice.pick(['accepted', 'rejected', 'modified', 'released']) } }),
    }
    return {
      address,
      ...(Object.keys(terminus).length > 0 && { terminus }),
      ...(dice.oneIn(15) && { selector: dice.pick(['JMSPriority > 3', "a = 'x'", 'TRUE', 'a = ']) }),
    }
  }

  #kindOfTemporary(): Fields {
    return this.#dice.oneIn(2) ? { capabilities: ['temporary-topic'] } : {}
  }

  // ── numbers and pieces ──

  #window(): number {
    const dice = this.#dice
    return dice.oneIn(3) ? dice.below(4) : dice.pick([20, 100, MOST_CREDIT])
  }

  #firstNumber(): number {
    return this.#dice.pick([0, 1, 2 ** 31 - 3, NEAR_WRAP, NEAR_WRAP])
  }

  /** All of it now, in pieces, or later with more. */
  #pushed(slot: number, actions: readonly Action[]): Action[] {
    return [...actions, ...(this.#dice.oneIn(8) ? [] : this.#push(slot))]
  }

  #push(slot: number): Action[] {
    const dice = this.#dice
    const all: Action = { do: 'push', slot, bytes: 0 }
    if (!dice.oneIn(5)) return dice.oneIn(3) ? [all] : [all, { do: 'calm' }]
    return [{ do: 'push', slot, bytes: 1 + dice.below(300) }, { do: 'turn' }, ...(dice.oneIn(3) ? [] : [all])]
  }
}

interface Place {
  readonly slot: number
  readonly channel: number
  readonly handle: number
}
