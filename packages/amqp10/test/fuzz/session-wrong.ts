/** Performatives that no client may send as they are: well-formed ones that break a rule of sessions, links, credit, settling or transactions. */
import { u32 } from '../wire/encode.ts'
import { message } from '../wire/message.ts'
import type { Fields } from '../wire/composites.ts'
import type { Wrong } from './session-actions.ts'
import { wireOf } from './session-numbers.ts'
import type { ClientSession } from './session-side.ts'

type Wrongs = Readonly<Record<string, (session: ClientSession, handle: number) => readonly Said[]>>
type Said = readonly [kind: string, fields: Fields, payload?: Uint8Array | undefined, channel?: number]

const NOBODY = Buffer.from('nobody')
const FREE_HANDLE = 14

/** What changes nothing: the client still keeps the rules. */
const HARMLESS: Wrongs = {
  'deliveries that never were': ({ deliveredCount }) => [
    [
      'disposition',
      {
        role: true,
        first: deliveredCount + 1_000,
        last: deliveredCount + 2_000_000_000,
        settled: true,
        state: { kind: 'accepted' },
      },
    ],
  ],
  'received of all': ({ deliveredCount }) => [
    [
      'disposition',
      { role: true, first: 0, last: deliveredCount, state: { kind: 'received', sectionNumber: 0, sectionOffset: 0 } },
    ],
  ],
  'settled as a sender': () => [['disposition', { role: false, first: 0, last: 10, settled: true }]],
}

const WRONG: Wrongs = {
  'no credit': (session, handle) => Array.from({ length: 15 }, () => transfer(session, handle)),
  'no window': (session, handle) => Array.from({ length: 40 }, () => transfer(session, handle, { aborted: true })),
  'no delivery-id': (_, handle) => [['transfer', { handle, deliveryTag: u32(1), messageFormat: 0 }, message('x')]],
  'no tag': (session, handle) => [transfer(session, handle, { deliveryTag: undefined })],
  'other format': (session, handle) => [transfer(session, handle, { messageFormat: 7 })],
  'other delivery': (session, handle) => [
    transfer(session, handle, { more: true }),
    transfer(session, handle, { deliveryId: 77 }),
  ],
  'resumed delivery': (session, handle) => [transfer(session, handle, { resume: true })],
  'against the settle mode': (session, handle) => [
    transfer(session, handle, { settled: true }),
    transfer(session, handle, { settled: false }),
  ],
  'unknown transaction': (session, handle) => [
    transfer(session, handle, { state: { kind: 'transactional-state', txnId: NOBODY } }),
  ],
  'two transactions': (session, handle) => [
    transfer(session, handle, { more: true, state: { kind: 'transactional-state', txnId: NOBODY } }),
    ['transfer', { handle, state: { kind: 'transactional-state', txnId: u32(1) } }, message('x')],
  ],
  'settled in an unknown transaction': ({ deliveredCount }) => [
    [
      'disposition',
      {
        role: true,
        first: 0,
        last: deliveredCount,
        state: { kind: 'transactional-state', txnId: NOBODY, outcome: { kind: 'accepted' } },
      },
    ],
  ],
  'all settled': ({ deliveredCount }) => [
    ['disposition', { role: true, first: 0, last: deliveredCount, settled: true, state: { kind: 'accepted' } }],
  ],
  'last before first': () => [
    ['disposition', { role: true, first: 5, last: 4, settled: true, state: { kind: 'accepted' } }],
  ],
  'no such handle': () => [['flow', { ...window, handle: FREE_HANDLE, deliveryCount: 0, linkCredit: 5 }]],
  'detach of nothing': () => [['detach', { handle: FREE_HANDLE, closed: true }]],
  'transfer on nothing': (session) => [transfer(session, FREE_HANDLE)],
  'handle in use': (_, handle) => [
    [
      'attach',
      {
        name: 'other',
        handle,
        role: true,
        source: { kind: 'source', address: 'topic://t.1' },
        target: { kind: 'target' },
      },
    ],
  ],
  'handle too high': () => [
    [
      'attach',
      {
        name: 'other',
        handle: 4_000_000_000,
        role: true,
        source: { kind: 'source', address: 'topic://t.1' },
        target: { kind: 'target' },
      },
    ],
  ],
  'resumed link': () => [
    [
      'attach',
      {
        name: 'other',
        handle: FREE_HANDLE,
        role: true,
        source: { kind: 'source', address: 'topic://t.1' },
        target: { kind: 'target' },
        unsettled: [],
        incompleteUnsettled: true,
      },
    ],
    ['flow', { ...window, handle: FREE_HANDLE, deliveryCount: 0, linkCredit: 5 }],
  ],
  'begun channel': () => [['begin', { nextOutgoingId: 0, incomingWindow: 10, outgoingWindow: 10 }]],
  'answer to no begin': () => [
    ['begin', { remoteChannel: 3, nextOutgoingId: 0, incomingWindow: 10, outgoingWindow: 10 }, undefined, 6],
  ],
  'channel without session': () => [['flow', window, undefined, 6]],
  'channel too high': () => [['begin', { nextOutgoingId: 0, incomingWindow: 10, outgoingWindow: 10 }, undefined, 999]],
  'open again': () => [['open', { containerId: 'again' }, undefined, 0]],
  'login again': () => [['sasl-init', { mechanism: 'ANONYMOUS' }, undefined, 0]],
  'frame too large': (session, handle) => [transfer(session, handle, {}, Buffer.alloc(3_000))],
  'message too large': (session, handle) =>
    Array.from({ length: 12 }, (_, index) =>
      transfer(
        session,
        handle,
        index === 0 ? { more: true } : { more: true, deliveryId: undefined, deliveryTag: undefined },
        Buffer.alloc(1_000),
      ),
    ),
  'no message': (session, handle) => [transfer(session, handle, {}, Buffer.from('0053ff', 'hex'))],
  'window taken back': ({ nextIncoming }) => [
    ['flow', { ...window, nextIncomingId: wireOf(nextIncoming - 10), incomingWindow: 0 }],
  ],
  'window of another world': ({ nextIncoming }) => [
    ['flow', { ...window, nextIncomingId: wireOf(nextIncoming + 1_000), incomingWindow: 5 }],
  ],
  'credit of another world': (_, handle) => [
    ['flow', { ...window, handle, deliveryCount: 0x9000_0000, linkCredit: 0xffff_ffff }],
  ],
  'drain and away': (_, handle) => [
    ['flow', { ...window, handle, deliveryCount: 0, linkCredit: 0x7fff_ffff, drain: true }],
    ['detach', { handle, closed: false }],
    ['detach', { handle, closed: true }],
  ],
  'end twice': () => [
    ['end', {}],
    ['end', {}],
  ],
}

export const HARMLESS_NAMES: readonly string[] = Object.keys(HARMLESS)
export const WRONG_NAMES: readonly string[] = Object.keys(WRONG)

const window: Fields = { nextIncomingId: 0, incomingWindow: 100, nextOutgoingId: 0, outgoingWindow: 100 }

export function sayWrong(session: ClientSession, { what, handle }: Wrong): void {
  const { peer } = session
  const isHarmless = what in HARMLESS
  if (!isHarmless) peer.distrust()
  for (const [kind, fields, payload, channel = session.channel] of (HARMLESS[what] ?? WRONG[what])?.(session, handle) ??
    []) {
    peer.say(channel, kind, fields, payload)
  }
}

function transfer(
  { nextDelivery }: ClientSession,
  handle: number,
  fields: Fields = {},
  payload: Uint8Array = message('x'),
): Said {
  return [
    'transfer',
    { handle, deliveryId: wireOf(nextDelivery), deliveryTag: u32(wireOf(nextDelivery)), messageFormat: 0, ...fields },
    payload,
  ]
}
