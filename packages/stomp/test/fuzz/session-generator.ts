/** What a client might do next: frames that are right, nearly right and wrong, whole and in pieces. */
import type { Dice } from '@ternmq/testkit/fuzzer'
import type { Version } from '../harness.ts'
import type { Action } from './session-actions.ts'
import { type Peer, type SessionRun, SLOTS } from './session-run.ts'

const NAMES = ['a', 'b', 't', 'long.name', '__proto__', 'constructor', '', 'a:b', 'Ã¼', '0']
const QUEUES = ['/queue/a', '/queue/a', '/queue/b', '/queue/full', '/queue/ring', '/amq/queue/ring', 'queue://a']
const TOPICS = ['/topic/a.b', '/topic/a.c', 'a/b', '/exchange/amq.topic/a.b', '/topic/VirtualTopic.x']
const OTHERS = ['/temp-queue/x', '/temp-topic/x', '/queue/a,/topic/a.b', '/queue/full,/queue/b', '/queue/Consumer.c.VirtualTopic.x']
const PATTERNS = ['/queue/>', '/queue/*', '/topic/a.*', '/topic/>', '/queue/a?consumer.priority=3', '/queue/a?consumer.prefetchSize=1']
const WRONG = ['', '/queue/', '/exchange/x', '/remote-temp-queue/nobody', '/Queue/a', '/queue/a\\q', '/dsub/n', '/topic/$SYS.x', '/queue/a::b']
const COMMANDS = ['SEND', 'SUBSCRIBE', 'UNSUBSCRIBE', 'ACK', 'NACK', 'BEGIN', 'COMMIT', 'ABORT', 'DISCONNECT', 'CONNECT', 'STOMP', 'MESSAGE', 'SEN', 'send']
const VALUES = ['true', 'false', '0', '1', '-1', '9', '1000', 'x', '', '99999999999999999999', '\\n', '\\c', '\\t', '\xff', 'a:b', ' ']
const HEADERS = [
  'persistent',
  'priority',
  'expires',
  'reply-to',
  'JMSXGroupID',
  'JMSXGroupSeq',
  'retain',
  'ActiveMQ.Retain',
  'content-type',
  'correlation-id',
  '_AMQ_DUPL_ID',
  'selector',
  'ack',
  'prefetch-count',
  'activemq.prefetchSize',
  'activemq.priority',
  'exclusive',
  'no-local',
  'browser',
  'durable',
  'auto-delete',
  'x-queue-name',
  'activemq.subscriptionName',
  'activemq.retroactive',
  'requeue',
  'transaction',
  'message-id',
  'id',
  'subscription',
  'content-length',
  'receipt',
  'destination-type',
  '__proto__',
  'hasOwnProperty',
  'toString',
]
const WAITS_MS = [1, 250, 1_000, 5_000, 15_000, 61_000]

export class Generator {
  readonly #dice: Dice
  readonly #run: SessionRun
  #receipts = 0
  /** Of subscriptions and transactions. */
  #ids = 1

  constructor(dice: Dice, run: SessionRun) {
    this.#dice = dice
    this.#run = run
  }

  /** A few actions that belong together. */
  next(): Action[] {
    const dice = this.#dice
    const slot = dice.below(SLOTS)
    const peer = this.#run.peers[slot]
    if (peer === undefined || peer.client.isClosed || dice.oneIn(60)) return this.#open(slot)
    const kind = dice.weighted({ frames: 40, garbled: 1, publish: 6, turn: 6, settle: 8, wait: 2, end: 1, reading: 1 })
    switch (kind) {
      case 'frames':
        return this.#inPieces(slot, Array.from({ length: 1 + dice.below(6) }, () => this.#frame(peer)).join(''))
      case 'garbled':
        return this.#inPieces(slot, this.#garbled(this.#frame(peer)))
      case 'publish':
        return [{ kind, address: dice.pick(['$queue/a', 'a/b', 'a/c']), assurance: dice.oneIn(3) ? 1 : 0 }]
      case 'wait':
        return [{ kind, ms: dice.pick(WAITS_MS) }]
      case 'end':
        return [{ kind: dice.oneIn(2) ? 'fin' : 'rst', slot }]
      case 'reading':
        return [{ kind: dice.oneIn(3) ? 'stop' : 'read', slot }]
      default:
        return [{ kind }]
    }
  }

  #open(slot: number): Action[] {
    const dice = this.#dice
    const version = dice.pick<Version>([10, 11, 12, 12])
    const open: Action = { kind: 'open', slot, version, kernelBytes: dice.oneIn(6) ? 300 : 65_536 }
    if (dice.oneIn(20)) return [open]
    const beats = dice.oneIn(40) ? 'heart-beat:x\n' : dice.pick(['', '', '', 'heart-beat:20000,1000\n', 'heart-beat:0,5000\n'])
    const id = dice.oneIn(6) ? `client-id:${dice.pick(['c1', 'c2', 'c3'])}\n` : ''
    const spoken = version === 10 ? '' : `accept-version:1.${version - 10}\nhost:h\n`
    return [open, ...this.#inPieces(slot, `${dice.pick(['CONNECT', 'STOMP'])}\n${spoken}${beats}${id}\n\0`), { kind: 'settle' }]
  }

  #frame(peer: Peer): string {
    const dice = this.#dice
    const kind = dice.weighted({ send: 12, subscribe: 4, ack: 8, unsubscribe: 2, begin: 3, end: 3, beat: 1, disconnect: 0.2, any: 0.3 })
    const transaction = peer.transactions.length > 0 && dice.oneIn(3) ? [`transaction:${this.#known(peer.transactions)}`] : []
    switch (kind) {
      case 'send':
        return this.#text('SEND', [`destination:${this.#destination(false)}`, ...transaction, ...this.#extras(SEND_HEADERS)], 'x'.repeat(dice.below(dice.oneIn(30) ? 4_200 : 40)))
      case 'subscribe':
        return this.#text('SUBSCRIBE', [`id:${dice.oneIn(60) ? 1 : ++this.#ids}`, `destination:${this.#destination(true)}`, ...this.#extras(SUBSCRIBE_HEADERS)])
      case 'ack': {
        const named = this.#ackHeaders(peer)
        return named === undefined ? '\n' : this.#text(peer.client.version > 10 && dice.oneIn(3) ? 'NACK' : 'ACK', [...named, ...transaction, ...this.#extras(ACK_HEADERS)])
      }
      case 'unsubscribe':
        return this.#ending('UNSUBSCRIBE', 'id', peer.subscriptions)
      case 'begin':
        return this.#text('BEGIN', [`transaction:${dice.oneIn(20) ? dice.pick(NAMES) : ++this.#ids}`])
      case 'end':
        return this.#ending(dice.oneIn(3) ? 'ABORT' : 'COMMIT', 'transaction', peer.transactions)
      case 'beat':
        return dice.pick(['\n', '\r\n', '\n\n\n'])
      case 'disconnect':
        return this.#text('DISCONNECT', [])
      case 'any':
        return this.#text(dice.pick(COMMANDS), [...transaction, ...this.#extras(HEADERS, 1)], dice.pick(['', 'x', '\0']))
    }
  }

  /** A frame with a receipt now and then. */
  #text(command: string, headers: readonly string[], body = ''): string {
    const receipt = this.#dice.oneIn(3) ? [`receipt:r${++this.#receipts}`] : []
    return `${command}\n${[...headers, ...receipt].map((line) => `${line}\n`).join('')}\n${body}\0`
  }

  #destination(isReceiving: boolean): string {
    const dice = this.#dice
    if (dice.oneIn(150)) return dice.pick(WRONG)
    if (dice.oneIn(5)) return dice.pick(isReceiving ? PATTERNS : OTHERS)
    return dice.pick(dice.oneIn(2) ? QUEUES : dice.oneIn(4) ? OTHERS : TOPICS)
  }

  /** Mostly right ones. */
  #extras(names: readonly string[], oneIn = 3): string[] {
    const dice = this.#dice
    const lines: string[] = []
    while (dice.oneIn(oneIn) && lines.length < 5) {
      const name = dice.pick(names)
      lines.push(`${name}:${dice.oneIn(80) ? dice.pick(VALUES) : valueFor(name, dice)}`)
    }
    return lines
  }

  #ackHeaders(peer: Peer): string[] | undefined {
    const dice = this.#dice
    if (dice.oneIn(150)) return [`id:${dice.pick(VALUES)}`]
    const message = peer.unacked.length === 0 ? undefined : dice.pick(peer.unacked)
    if (message === undefined) return undefined
    if (!dice.oneIn(100)) peer.unacked.splice(peer.unacked.indexOf(message), 1)
    return peer.client.version === 12 ? [`id:${message.id}`] : [`message-id:${message.id}`, `subscription:${message.subscription}`]
  }

  /** Ends something that the client has begun. */
  #ending(command: string, header: string, names: string[]): string {
    if (names.length === 0) return '\n'
    const name = this.#known(names)
    if (names.includes(name)) names.splice(names.indexOf(name), 1)
    return this.#text(command, [`${header}:${name}`])
  }

  #known(names: readonly string[]): string {
    return this.#dice.oneIn(100) ? this.#dice.pick(NAMES) : this.#dice.pick(names)
  }

  #garbled(text: string): string {
    const dice = this.#dice
    const at = dice.below(text.length)
    switch (dice.below(4)) {
      case 0:
        return text.slice(0, at) + text.slice(at + 1)
      case 1:
        return text.slice(0, at) + String.fromCharCode(dice.below(256)) + text.slice(at)
      case 2:
        return text.slice(0, at)
      default:
        return text.slice(0, at) + text.slice(dice.below(text.length))
    }
  }

  #inPieces(slot: number, text: string): Action[] {
    const dice = this.#dice
    if (text === '') return []
    if (!dice.oneIn(4)) return [{ kind: 'send', slot, text }]
    const cut = dice.below(text.length)
    const pieces = [text.slice(0, cut), text.slice(cut)].filter((piece) => piece !== '')
    return pieces.flatMap((piece): Action[] => [{ kind: 'send', slot, text: piece }, { kind: 'turn' }])
  }
}

const SEND_HEADERS = ['persistent', 'priority', 'expires', 'reply-to', 'JMSXGroupID', '_AMQ_DUPL_ID', 'content-type', 'AMQ_SCHEDULED_DELAY', '__proto__', 'retain']
const SUBSCRIBE_HEADERS = [
  'ack',
  'ack',
  'ack',
  'selector',
  'prefetch-count',
  'activemq.prefetchSize',
  'activemq.priority',
  'exclusive',
  'no-local',
  'browser',
  'durable',
  'x-queue-name',
  'activemq.retroactive',
]
const ACK_HEADERS = ['requeue']

function valueFor(name: string, dice: Dice): string {
  switch (name) {
    case 'ack':
      return dice.pick(['client', 'client-individual', 'auto'])
    case 'selector':
      return dice.oneIn(20) ? 'a = ' : dice.pick(["a = 'x'", 'JMSPriority > 4', 'TRUE'])
    case 'expires':
      return dice.pick(['0', '1', '1767225700000', '4000000000000'])
    case 'reply-to':
      return dice.pick(['/temp-queue/x', '/queue/a', '/temp-topic/y', '???'])
    case 'priority':
    case 'activemq.priority':
    case 'prefetch-count':
    case 'activemq.prefetchSize':
      return String(dice.below(10))
    case 'AMQ_SCHEDULED_DELAY':
      return dice.pick(['0', '1', '4000'])
    case 'JMSXGroupID':
    case '_AMQ_DUPL_ID':
    case 'x-queue-name':
    case '__proto__':
    case 'activemq.subscriptionName':
      return dice.pick(NAMES)
    case 'content-type':
      return 'text/plain'
    default:
      return dice.pick(['true', 'false'])
  }
}
