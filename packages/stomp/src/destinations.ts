/** The destinations of one connection: what a header means, the temporary ones that it has made, and how a MESSAGE writes them. */
import {
  DEFAULT_VHOST,
  isLiteral,
  patternFromKey,
  type PatternLevel,
  type ProducerTarget,
  QUEUE_PREFIX,
  queueNameOf,
  type ReceiverSpec,
  subscriptionQueueName,
  topicName,
} from '@ternmq/core'
import { consumerOptionProblem, hintsFor, kindText, type ParsedAddress, type Resolution, resolve, spell, toCoreName } from '@ternmq/naming'
import { HeaderId } from './codec/header-ids.ts'
import type { FrameHeaders } from './codec/headers.ts'
import { quote } from './codec/problem.ts'
import type { StompConnection } from './connection.ts'
import { spellReplyTo } from './names.ts'
import { Refused, required } from './refused.ts'

/** Of a client's own name for a temporary destination; as many as a queue's has at most. */
const ALIAS_CHARS_MAX = 1_024

/** Destinations that a connection sends to; beyond it they are looked up again. */
const TARGETS_MAX = 1_024

/** First level of temporary topics, and start of the names of temporary queues. */
const TEMPORARY_LEVEL = '$temp'
/** Start of the names of queues of durable subscriptions. */
const SUBSCRIPTION_PREFIX = '$subscription/'

export type Source = ReceiverSpec['source']

/** How a client wants to receive, beside the destination. */
export interface SourceWishes {
  readonly subscriptionName: string | undefined
  /** Looks only. */
  readonly browses: boolean
  /** The subscription is not the client's alone. */
  readonly isShared: boolean
  readonly noLocal: boolean
  readonly retroactive: boolean
  readonly exclusive: boolean
  readonly priority: number
  /** Unsettled messages at a time; undefined: as many as the operator's setting says. */
  readonly prefetch: number | undefined
}

/** With the address as its client sees it, for refusals. */
interface WrittenWishes extends SourceWishes {
  readonly written: string
}

/** More unsettled messages of one subscription are not handed out. */
export const PREFETCH_MAX = 65_535

export class Destinations {
  readonly #client: StompConnection
  readonly #targets = new Map<string, ProducerTarget>()
  #lastText = ''
  #last: ProducerTarget | undefined = undefined
  /** Core names of the client's temporary destinations, by kind and the name that it gave them. */
  readonly #temporaries = new Map<string, string>()

  constructor(client: StompConnection) {
    this.#client = client
  }

  /** Where a SEND goes. Hot path. */
  targetOf(frame: FrameHeaders): ProducerTarget {
    const index = frame.find(HeaderId.destination)
    const kindHint = kindHintOf(frame)
    if (kindHint === undefined && index >= 0 && this.#last !== undefined && frame.valueIs(index, this.#lastText)) return this.#last
    const text = required(frame, HeaderId.destination, 'destination', 'STOMP12-SEND-a')
    const key = kindHint === undefined ? text : `${kindHint}\0${text}`
    let target = this.#targets.get(key)
    if (target === undefined) {
      target = this.#makeTarget(frame, text)
      if (this.#targets.size >= TARGETS_MAX) this.#targets.clear()
      this.#targets.set(key, target)
    }
    if (kindHint !== undefined) return target
    this.#lastText = text
    this.#last = target
    return target
  }

  /** Where a SUBSCRIBE reads from, several for a list, and how many messages of each it takes unsettled. */
  sourcesOf(frame: FrameHeaders, text: string, wishes: SourceWishes): { readonly sources: Source[]; readonly prefetch: number | undefined } {
    const { address, options } = this.#resolve(frame, text, wishes.browses ? 'browse' : 'read')
    const own = withOptions(frame, wishes, options)
    if (address.kind !== 'list') return { sources: [this.#sourceOf(frame, address, { ...own, written: quote(text) })], prefetch: own.prefetch }
    return { sources: address.parts.map((part) => this.#sourceOf(frame, part, { ...own, written: this.#spelled(part) })), prefetch: own.prefetch }
  }

  /** Only topics that stay keep a message; of a list, all of it must be such. */
  checkRetained(frame: FrameHeaders): void {
    const { address } = this.#resolve(frame, required(frame, HeaderId.destination, 'destination', 'STOMP12-SEND-a'), 'write')
    for (const part of address.kind === 'list' ? address.parts : [address]) {
      if (part.kind === 'topic') continue
      throw new Refused(frame, `${kindText(part)} keeps no retained message; send to a topic that stays, or leave out header retain`)
    }
  }

  /** `reply-to` as every client of the broker can use it. */
  replyTo(frame: FrameHeaders, text: string): string {
    const read = resolve(text, { protocol: 'stomp', profile: this.#client.adapter.settings.profile, purpose: 'send' })
    if (!read.ok) return text // whoever replies will hear why it cannot be
    const { address } = read
    if (address.kind !== 'temp-queue-alias' && address.kind !== 'temp-topic-alias') return text
    const name = this.#temporary(frame, address.kind, address.alias)
    return spellReplyTo(name) ?? text
  }

  #makeTarget(frame: FrameHeaders, text: string): ProducerTarget {
    const { address } = this.#resolve(frame, text, 'write')
    const { producer } = this.#client
    if (address.kind === 'list') return producer.targetOfAll(address.parts.map((part) => this.#nameOf(frame, part)))
    return producer.target(this.#nameOf(frame, address))
  }

  #resolve(frame: FrameHeaders, text: string, action: 'write' | 'read' | 'browse'): Extract<Resolution, { ok: true }> {
    const purpose = action === 'write' ? 'send' : 'receive'
    const { adapter } = this.#client
    const { vhost, settings } = adapter
    const read = resolve(text, {
      protocol: 'stomp',
      profile: settings.profile,
      purpose,
      kindHint: kindHintOf(frame),
      exists: (kind, name) => kind === 'queue' && vhost.destinations.isKnownTo(this.#client.session.subject, action, name),
      levelsMax: settings.maxTopicLevels,
    })
    if (!read.ok) throw new Refused(frame, read.detail.text)
    const { address } = read
    if (read.mustExist && address.kind === 'queue' && vhost.destinations.find(address.name) === undefined) {
      // Whoever may not use the queue does not learn whether it is there.
      const refusal = vhost.destinations.refusalOf(this.#client.session.subject, action, address.name)
      const unknown = `there is no queue ${quote(address.name)}, and ${quote(text)} makes none; define it first, or use /queue/${address.name}`
      throw new Refused(frame, refusal ?? unknown)
    }
    for (const note of read.notes) this.#client.hint(note)
    const { profile } = settings
    for (const { text: hint } of hintsFor(text, read, { protocol: 'stomp', profile, purpose })) this.#client.hint(hint)
    return read
  }

  /** The core's name of what can be sent to. */
  #nameOf(frame: FrameHeaders, address: ParsedAddress): string {
    if (address.kind === 'temp-queue-alias' || address.kind === 'temp-topic-alias') {
      return this.#temporary(frame, address.kind, address.alias)
    }
    if (address.kind === 'queue-pattern') {
      throw new Refused(frame, `${kindText(address)}: a pattern can be subscribed to, not sent to`)
    }
    const name = toCoreName(address)
    if (name === undefined) throw new Refused(frame, `${kindText(address)} cannot be sent to${adviceFor(address)}`)
    return name
  }

  /** One address of a list, as clients of this profile write it. */
  #spelled(address: ParsedAddress): string {
    const text = spell(address, 'stomp', this.#client.adapter.settings.profile)
    return text === undefined ? kindText(address) : quote(text)
  }

  #sourceOf(frame: FrameHeaders, address: ParsedAddress, wishes: WrittenWishes): Source {
    switch (address.kind) {
      case 'queue':
      case 'queue-pattern':
        return this.#queueSource(frame, address.name, wishes)
      case 'temp-queue':
        return this.#queueSource(frame, `${TEMPORARY_LEVEL}/${address.id}`, wishes)
      case 'temp-queue-alias':
        return this.#queueSource(frame, queueNameOf(this.#temporary(frame, address.kind, address.alias))!, wishes)
      case 'topic':
      case 'topic-pattern':
        return this.#topicSource(frame, address.levels, wishes)
      case 'temp-topic':
        return this.#topicSource(frame, [TEMPORARY_LEVEL, address.id], wishes)
      case 'temp-topic-alias':
        return this.#topicSource(frame, this.#temporary(frame, address.kind, address.alias).split('/'), wishes)
      case 'subscription':
        return this.#existingSubscription(frame, address.name)
      case 'fqqn':
        if (address.address === address.queue) return this.#queueSource(frame, address.queue, wishes)
        return this.#topicSource(frame, address.address.split('.'), { ...wishes, subscriptionName: address.queue, isShared: true })
      default:
        throw new Refused(frame, `${kindText(address)} cannot be subscribed to${adviceFor(address)}`)
    }
  }

  #queueSource(frame: FrameHeaders, queue: string, { exclusive, priority }: SourceWishes): Source {
    if (queue.startsWith(`${TEMPORARY_LEVEL}/`)) this.#checkOwner(frame, QUEUE_PREFIX + queue)
    if (queue.startsWith(SUBSCRIPTION_PREFIX)) {
      throw new Refused(frame, `queue ${quote(queue)} is that of a durable subscription; its client reads it as /dsub/NAME, or subscribes to the topic again`)
    }
    return { kind: 'queue', queue, exclusive, priority }
  }

  /** Whoever answers knows the name of a temporary destination, and must not read what others answer. */
  #checkOwner(frame: FrameHeaders, name: string): void {
    const { adapter, session } = this.#client
    if (adapter.vhost.temporaries.ownerOf(name) === session) return
    throw new Refused(frame, 'only the connection that made a temporary destination reads from it, and by its one name')
  }

  #topicSource(frame: FrameHeaders, levels: readonly PatternLevel[], wishes: WrittenWishes): Source {
    if (levels[0] === TEMPORARY_LEVEL) this.#checkOwner(frame, isLiteral(levels) ? topicName(levels) : '')
    const pattern = { vhost: DEFAULT_VHOST, kind: 'topic', levels } as const
    const { noLocal, retroactive, subscriptionName, isShared, written } = wishes
    if (subscriptionName === undefined) return { kind: 'topic', pattern, written, noLocal, retained: retroactive }
    const clientId = isShared ? undefined : this.#ownClientId(frame)
    return { kind: 'subscription', subscription: { clientId, name: subscriptionName, pattern, written, noLocal, shared: isShared } }
  }

  /** `/dsub/NAME`: one that was made before. */
  #existingSubscription(frame: FrameHeaders, name: string): Source {
    const clientId = this.#ownClientId(frame)
    const known = this.#client.adapter.vhost.destinations.find(subscriptionQueueName(clientId, name))?.subscription
    if (known === undefined) {
      throw new Refused(frame, `client ${quote(clientId)} has no durable subscription ${quote(name)}; subscribe to its topic with durable-subscription-name first`)
    }
    const pattern = { vhost: DEFAULT_VHOST, kind: 'topic', levels: patternFromKey(known.pattern) } as const
    return { kind: 'subscription', subscription: { clientId, name, pattern, noLocal: known.noLocalOf !== undefined, shared: false, asMade: true } }
  }

  #ownClientId(frame: FrameHeaders): string {
    if (this.#client.hasOwnClientId) return this.#client.clientId
    throw new Refused(frame, 'a durable subscription belongs to a client id; give one with header client-id of CONNECT')
  }

  /** Made when it is first named. */
  #temporary(frame: FrameHeaders, kind: 'temp-queue-alias' | 'temp-topic-alias', alias: string): string {
    const key = `${kind} ${alias}`
    const known = this.#temporaries.get(key)
    if (known !== undefined) return known
    if (alias.length > ALIAS_CHARS_MAX) {
      throw new Refused(frame, `${quote(alias)} is too long for a temporary destination: a name has at most ${ALIAS_CHARS_MAX} characters`)
    }
    const { session, adapter } = this.#client
    const made = adapter.vhost.temporaries.create(session, kind === 'temp-queue-alias' ? 'temp-queue' : 'temp-topic')
    if (!made.ok) throw new Refused(frame, made.detail.text)
    this.#temporaries.set(key, made.value)
    return made.value
  }
}

/** `?consumer.exclusive=true&consumer.priority=5`; a header that says how many to prefetch counts more. */
function withOptions(frame: FrameHeaders, wishes: SourceWishes, options: readonly (readonly [name: string, value: string])[]): SourceWishes {
  let own = wishes
  for (const [name, value] of options) {
    const problem = consumerOptionProblem(name, value)
    if (problem !== undefined) throw new Refused(frame, problem)
    if (name === 'exclusive') own = { ...own, exclusive: value === 'true' }
    else if (name === 'priority') own = { ...own, priority: Number(value) }
    else if (name === 'retroactive') own = { ...own, retroactive: value === 'true' }
    else if (name === 'noLocal') own = { ...own, noLocal: value === 'true' }
    else if (name === 'prefetchSize') own = { ...own, prefetch: wishes.prefetch ?? Math.min(Math.max(Number(value), 1), PREFETCH_MAX) }
  }
  return own
}

/** Artemis' `destination-type` and `subscription-type`. */
function kindHintOf(frame: FrameHeaders): 'queue' | 'topic' | undefined {
  const id = frame.find(HeaderId.destinationType) >= 0 ? HeaderId.destinationType : HeaderId.subscriptionType
  const text = frame.get(id)
  if (text === undefined) return undefined
  if (text === 'ANYCAST') return 'queue'
  if (text === 'MULTICAST') return 'topic'
  throw new Refused(frame, `header ${id === HeaderId.destinationType ? 'destination-type' : 'subscription-type'}: ${quote(text)} is neither ANYCAST nor MULTICAST`)
}

function adviceFor(address: ParsedAddress): string {
  if (address.kind === 'exchange') return ': exchanges belong to AMQP 0-9-1, which is not spoken yet; /exchange/amq.topic/KEY is a topic'
  if (address.kind === 'fqqn') return ': name its address alone, or the queue'
  return ''
}
