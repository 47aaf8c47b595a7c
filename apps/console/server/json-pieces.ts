/** An answer as JSON, in pieces where it has a very long list: each is made in a turn of its own, and goes out before the next one. */
import { LIST_ITEMS_PER_TURN } from './limits.ts'

/** Whether one of its fields is a list that takes more than one turn. */
export function isLong(answer: unknown): answer is object {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return false
  return Object.values(answer).some((value) => Array.isArray(value) && value.length > LIST_ITEMS_PER_TURN)
}

/** Together they are what `JSON.stringify` makes of the object. */
export function* jsonPieces(answer: object): Generator<string> {
  let before = '{'
  for (const [name, value] of Object.entries(answer) as [string, unknown][]) {
    if (Array.isArray(value)) {
      yield `${before}${JSON.stringify(name)}:[`
      yield* itemPieces(value)
      before = '],'
    } else {
      const text = JSON.stringify(value) as string | undefined
      if (text === undefined) continue
      yield `${before}${JSON.stringify(name)}:${text}`
      before = ','
    }
  }
  yield before === '{' ? '{}' : before.replace(',', '}')
}

function* itemPieces(items: readonly unknown[]): Generator<string> {
  for (let from = 0; from < items.length; from += LIST_ITEMS_PER_TURN) {
    const text = JSON.stringify(items.slice(from, from + LIST_ITEMS_PER_TURN))
    yield from === 0 ? text.slice(1, -1) : `,${text.slice(1, -1)}`
  }
}

/** Waits between two pieces. */
export async function* inTurns(pieces: Iterable<string>, pause: () => Promise<void>): AsyncGenerator<string> {
  for (const piece of pieces) {
    yield piece
    await pause()
  }
}
