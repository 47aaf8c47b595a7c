/** What happens in a run of the session fuzzer, one thing in each line, so that a found one can be read, cut short and kept. */
import { assert, linesOf } from '@ternmq/testkit/fuzzer'
import type { Version } from '../harness.ts'

export type Action =
  /** A new connection takes the slot; `kernelBytes` is the room for what the client does not read. */
  | { readonly kind: 'open'; readonly slot: number; readonly version: Version; readonly kernelBytes: number }
  /** Bytes leave the client, one for each character; they arrive with the next turn. */
  | { readonly kind: 'send'; readonly slot: number; readonly text: string }
  /** fin: the program ends. rst: the network fails. stop, read: the client reads no more, or again. */
  | { readonly kind: 'fin' | 'rst' | 'stop' | 'read'; readonly slot: number }
  /** Another protocol publishes, at most once or at least once, to an address in core form. */
  | { readonly kind: 'publish'; readonly address: string; readonly assurance: 0 | 1 }
  | { readonly kind: 'turn' | 'settle' }
  | { readonly kind: 'wait'; readonly ms: number }

export interface Script {
  /** With a log, what is durable waits for it. */
  readonly hasLog: boolean
  readonly actions: readonly Action[]
}

export function toText({ hasLog, actions }: Script): string {
  return [hasLog ? 'with log' : 'without log', ...actions.map(lineOf), ''].join('\n')
}

function lineOf(action: Action): string {
  switch (action.kind) {
    case 'open':
      return `open ${action.slot} ${action.version} ${action.kernelBytes}`
    case 'send':
      // A '#' would begin a comment.
      return `send ${action.slot} ${JSON.stringify(action.text).replaceAll('#', String.raw`\u0023`)}`
    case 'publish':
      return `publish ${action.address} ${action.assurance}`
    case 'wait':
      return `wait ${action.ms}`
    case 'turn':
    case 'settle':
      return action.kind
    default:
      return `${action.kind} ${action.slot}`
  }
}

/** Throws for a line that means nothing. */
export function fromText(text: string): Script {
  const [head, ...lines] = linesOf(text)
  assert(head === 'with log' || head === 'without log', `not a run: ${head}`)
  return { hasLog: head === 'with log', actions: lines.map(actionOf) }
}

function actionOf(line: string): Action {
  const [kind = '', first = '', second = '', third = ''] = line.split(' ')
  const slot = Number(first)
  switch (kind) {
    case 'open':
      return { kind, slot, version: Number(second) as Version, kernelBytes: Number(third) }
    case 'send':
      return { kind, slot, text: JSON.parse(line.slice(`send ${first} `.length)) as string }
    case 'publish':
      return { kind, address: first, assurance: second === '0' ? 0 : 1 }
    case 'wait':
      return { kind, ms: slot }
    case 'turn':
    case 'settle':
      return { kind }
    case 'fin':
    case 'rst':
    case 'stop':
    case 'read':
      return { kind, slot }
    default:
      throw new Error(`not an action: ${line}`)
  }
}
