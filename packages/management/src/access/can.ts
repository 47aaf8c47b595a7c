/** Whether a user may do something with an address, which rule says so, and what the other rules have to do with it. */
import { can, type CanAnswer, type CanQuery, several } from '@ternmq/api'
import type { Explanation, RuleAuthorizer, UserRecord, UserStore } from '@ternmq/auth'
import {
  type Address,
  isReservedName,
  nextTurn,
  type Pattern,
  queuePattern,
  type Subject,
  type VirtualHost,
} from '@ternmq/core'
import { kindText, type ParsedAddress, type QueueAddress } from '@ternmq/naming'
import { ApiError } from '../errors.ts'
import { bind, type Bound } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'
import { addressText, existenceIn, optionsOf, read } from '../destinations/resolve.ts'
import { vhostOf } from '../vhost.ts'

const ANONYMOUS = 'anonymous'

/** What clients do, in the words of the authorizer. */
const ACTIONS = { publish: 'write', subscribe: 'read', browse: 'browse', admin: 'admin' } as const satisfies Record<
  CanQuery['action'],
  string
>

/** `Consumer.GROUP.VirtualTopic.NAME`: where the topic begins whose messages the queue gets. */
const FEED_AT = 2

export interface CanParts {
  readonly authorizer: RuleAuthorizer
}

export function canHandlers(broker: ManagedBroker, { authorizer }: CanParts): Bound[] {
  return [
    bind(can, async ({ params, query }) => {
      const vhost = vhostOf(broker, params)
      const { user, action, address: text, clientId = '', protocol = 'rest', profile } = query
      const purpose = action === 'publish' || action === 'admin' ? 'send' : 'receive'
      const reading = optionsOf({ protocol, profile, purpose }, broker.settings.config)
      const resolution = read(text, reading, existenceIn(vhost))
      if (!resolution.ok) throw new ApiError('INVALID', resolution.detail.text, { field: 'address', value: text })
      const { address } = resolution
      const subject: Subject = { principal: { name: user, anonymous: user === ANONYMOUS }, clientId }
      const question = { subject, action: ACTIONS[action], address }
      const byRules = await answerTo(vhost, authorizer, question)
      const answer = protocol === 'rest' ? withRole(byRules, question, broker.users.get(user)) : byRules
      const means = `${protocol} means ${kindText(address)}`
      const { allowed, rule, others } = answer
      return {
        allowed,
        rule,
        others,
        address: addressText(address),
        notes: [means, ...answer.notes, ...userNotes(broker.users, user)],
      }
    }),
  ]
}

interface Question {
  readonly subject: Subject
  readonly action: (typeof ACTIONS)[CanQuery['action']]
  readonly address: ParsedAddress
}

interface Decided extends Omit<CanAnswer, 'address'> {
  /** A rule says no. */
  readonly isDenied: boolean
}

async function answerTo(
  vhost: VirtualHost,
  authorizer: RuleAuthorizer,
  { subject, action, address }: Question,
): Promise<Decided> {
  const wanted = wantedOf(address, vhost.name)
  const [first] = wanted.levels
  if (action === 'write' && typeof first === 'string' && isReservedName(first)) {
    return {
      allowed: false,
      rule: "names that start with '$' are the broker's own: nobody publishes to them",
      others: [],
      notes: [],
      isDenied: true,
    }
  }
  const pause = (): Promise<void> => nextTurn(vhost.env.clock)
  const decided = asDecided(await authorizer.explain(subject, action, wanted, pause))
  const isReading = action === 'read' || action === 'browse'
  if (!decided.allowed || !isReading || !isQueue(address)) return decided
  if (address.kind === 'queue' && vhost.destinations.find(address.name) === undefined) {
    const making = asDecided(await authorizer.explain(subject, 'create', wanted, pause))
    const note =
      'the queue does not exist: to make it by reading from it needs the right to write to it or to administer it'
    if (!making.allowed) return { ...making, notes: [...making.notes, note] }
  }
  if (vhost.destinations.mayReadFeed(subject, address.name)) return decided
  const topic: Address = { vhost: vhost.name, kind: 'topic', levels: address.name.split('.').slice(FEED_AT) }
  const note = `the queue gets what is published to topic '${topic.levels.join('/')}', which its readers have to be allowed to read`
  return { ...asDecided(await authorizer.explain(subject, 'read', topic, pause)), notes: [note] }
}

/**
 * What the API makes of it: an administrator looks into and manages everything, an operator manages what no rule takes from him, and
 * nobody else manages anything.
 */
function withRole(byRules: Decided, { action }: Question, user: UserRecord | undefined): Decided {
  const role = user?.role
  if (role === 'administrator' && (action === 'admin' || action === 'browse')) {
    const note = 'a token of his without the scope admin is not above rules'
    return { ...byRules, allowed: true, rule: 'the role administrator is above rules', notes: [note] }
  }
  if (action !== 'admin') return byRules
  if (role === 'operator')
    return byRules.isDenied
      ? byRules
      : { ...byRules, allowed: true, rule: `the role ${role}: no rule denies admin of it` }
  const has = role === undefined ? 'no role' : `the role ${role}`
  const note = 'over other protocols rules decide, where a queue is made by being used'
  return {
    ...byRules,
    allowed: false,
    rule: `the API asks for the role operator, and the user has ${has}`,
    notes: [note],
  }
}

function asDecided({ decision, rules, leftOutCount }: Explanation): Decided {
  const others = rules.filter(({ weight }) => weight !== 'decides').map(({ rule, because }) => ({ rule, because }))
  const notes =
    leftOutCount > 0 ? [`${several(leftOutCount, 'more rule has', 'more rules have')} nothing to do with it`] : []
  return { allowed: decision.allowed, rule: decision.rule, others, notes, isDenied: decision.isDenied === true }
}

/** Throws ApiError('INVALID') for what rules do not decide. */
function wantedOf(address: ParsedAddress, vhost: string): Address | Pattern {
  if (isQueue(address)) return { vhost, kind: 'queue', levels: queuePattern(address.name) }
  if (address.kind === 'topic' || address.kind === 'topic-pattern' || address.kind === 'share')
    return { vhost, kind: 'topic', levels: address.levels }
  const detail = `${kindText(address)}: rules are about single queues and topics; ask about one`
  throw new ApiError('INVALID', detail, { field: 'address', value: addressText(address) })
}

function isQueue(address: ParsedAddress): address is QueueAddress {
  return address.kind === 'queue' || address.kind === 'queue-pattern'
}

function userNotes(users: UserStore, user: string): string[] {
  if (user === ANONYMOUS || users.get(user) !== undefined) return []
  return [
    `there is no user '${user}': what holds for that name, and for everyone, would count for a client with such a certificate`,
  ]
}
