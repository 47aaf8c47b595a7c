/**
 * What happens in a run of the session fuzzer, one thing in each line, so that a found one can be read, cut short and kept. Actions of
 * clients say what they want and no numbers of their session: those come from what is so when it happens, whatever was left out before.
 */
import { assert, linesOf } from '@ternmq/testkit/fuzzer'
import type { Fields } from '../wire/composites.ts'

export const OUTCOMES = ['accepted', 'released', 'rejected', 'modified', 'failed', 'unwanted', 'none'] as const
export type Outcome = (typeof OUTCOMES)[number]

interface OfSlot {
  readonly slot: number
}

interface OfSession extends OfSlot {
  readonly channel: number
}

interface OfLink extends OfSession {
  readonly handle: number
}

/** A new connection takes the slot; `kernelBytes` is the room for what the client does not read. */
export interface Open extends OfSlot {
  readonly do: 'open'
  readonly login: 'none' | 'sasl'
  readonly container: string
  readonly kernelBytes: number
  readonly frameBytes: number
  readonly idleMs?: number
}

export interface Begin extends OfSession {
  readonly do: 'begin'
  readonly window: number
  /** Of transfers and deliveries of this side. */
  readonly firstId: number
}

export interface Attach extends OfLink {
  readonly do: 'attach'
  readonly role: 'sender' | 'receiver' | 'coordinator'
  readonly name: string
  readonly address?: string
  readonly settles?: 'unsettled' | 'settled' | 'mixed'
  readonly second?: true
  readonly firstCount?: number
  /** More of the source, or of the target. */
  readonly terminus?: Fields
  readonly selector?: string
}

export interface Detach extends OfLink {
  readonly do: 'detach'
  readonly closed: boolean
}

/** A message begins; `frames` of it go now, and without `rest` it goes on with `go`. */
export interface Send extends OfLink {
  readonly do: 'send'
  readonly size: number
  readonly frames: number
  readonly settled: boolean
  /** Index of an open transaction. */
  readonly transaction?: number
  readonly durable: boolean
  readonly body: 'data' | 'value' | 'parts'
  readonly ttlMs?: number
  readonly delayMs?: number
  /** Of a link without an address. */
  readonly to?: string
  readonly rest?: true
}

/** The message that has begun on a link goes on, ends, or is no more. */
export interface Go extends OfLink {
  readonly do: 'go' | 'complete' | 'abort'
}

export interface Flow extends OfLink {
  readonly do: 'flow'
  readonly credit: number
  readonly drain?: true
  readonly echo?: true
}

export interface Window extends OfSession {
  readonly do: 'window'
  readonly window: number
  readonly echo?: true
}

/** So many deliveries from the `at`th on that are with the client. */
export interface Settle extends OfSession {
  readonly do: 'settle'
  readonly at: number
  readonly count: number
  readonly outcome: Outcome
  readonly settled: boolean
  readonly transaction?: number
}

/** Its own deliveries that have an outcome are settled, where the broker waits for that. */
export interface Confirm extends OfSession {
  readonly do: 'confirm'
}

export interface Declare extends OfLink {
  readonly do: 'declare'
}

export interface Discharge extends OfLink {
  readonly do: 'discharge'
  readonly transaction: number
  readonly fail: boolean
}

/** A performative that no client may send there, or one that changes nothing: see session-wrong.ts. */
export interface Wrong extends OfLink {
  readonly do: 'wrong'
  readonly what: string
}

/** Any bytes. */
export interface Raw extends OfSlot {
  readonly do: 'raw'
  readonly hex: string
}

/** In what has not left yet, an octet becomes another. */
export interface Garble extends OfSlot {
  readonly do: 'garble'
  readonly at: number
  readonly octet: number
}

/** So many bytes leave, in one chunk; 0: all of them. They arrive with the next turn. */
export interface Push extends OfSlot {
  readonly do: 'push'
  readonly bytes: number
}

/** fin: the program ends. rst: the network fails. stop, read: the client reads no more, or again. beat: an empty frame. */
export interface Plain extends OfSlot {
  readonly do: 'fin' | 'rst' | 'stop' | 'read' | 'beat' | 'close'
}

/** Another protocol publishes to a queue, at most once or at least once. */
export interface Publish {
  readonly do: 'publish'
  readonly queue: string
  readonly assurance: 0 | 1
}

/** Another protocol begins to take from a queue, at least once, and stops taking from the one before. */
export interface Consume {
  readonly do: 'consume'
  readonly queue: string
}

/** An operator deletes a queue. */
export interface Delete {
  readonly do: 'delete'
  readonly queue: string
}

export interface Wait {
  readonly do: 'wait'
  readonly ms: number
}

/** calm: everything that can happen now happens. leave: the other protocol's connection is lost. restart: the broker stops and starts. */
export interface Time {
  readonly do: 'turn' | 'calm' | 'leave' | 'restart'
}

export type ClientAction =
  | Begin
  | Attach
  | Detach
  | Send
  | Go
  | Flow
  | Window
  | Settle
  | Confirm
  | Declare
  | Discharge
  | Wrong
  | Raw
  | Garble
  | Push
  | Plain
  | EndSession
export type Action = Open | ClientAction | Publish | Consume | Delete | Wait | Time

export interface EndSession extends OfSession {
  readonly do: 'end'
}

export interface Script {
  /** With a log, what is durable waits for it, and the broker can be started again. */
  readonly hasLog: boolean
  readonly actions: readonly Action[]
}

export function toText({ hasLog, actions }: Script): string {
  return [hasLog ? 'with log' : 'without log', ...actions.map(lineOf), ''].join('\n')
}

function lineOf({ do: verb, ...rest }: Action): string {
  const words = Object.entries(rest).map(([name, each]) => `${name}=${JSON.stringify(each)}`)
  // A '#' would begin a comment.
  return [verb, ...words].join(' ').replaceAll('#', String.raw`\u0023`)
}

/** Throws for a line that means nothing. */
export function fromText(text: string): Script {
  const [head, ...lines] = linesOf(text)
  assert(head === 'with log' || head === 'without log', `not a run: ${head}`)
  return { hasLog: head === 'with log', actions: lines.map(actionOf) }
}

const WORD = /(\w+)=("(?:[^"\\]|\\.)*"|\{.*?\}(?= \w+=|$)|[^ ]+)/g

function actionOf(line: string): Action {
  const [verb = ''] = line.split(' ')
  const fields = Object.fromEntries(
    [...line.matchAll(WORD)].map(([, name, each]) => [name!, JSON.parse(each!) as unknown]),
  )
  const action = { do: verb, ...fields } as Action
  assert(lineOf(action) === line, `not an action: ${line}`)
  return action
}
