/** Leaves out of a found input every line that does not matter to the failure. */
import type { Fuzzer } from '@ternmq/mqtt/fuzzers'

/** Replays at most; a long sequence that is hard to shorten is kept as it is then. */
const REPLAYS_MAX = 3_000

/** `input` with as few lines as still fail in the same words. */
export async function shorten(fuzzer: Fuzzer, input: string): Promise<string> {
  const wanted = await failureOf(fuzzer, input)
  if (wanted === undefined) return input
  let lines = input.split('\n').filter((line) => line.trim() !== '')
  let replays = 0
  for (let size = Math.ceil(lines.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < lines.length && replays < REPLAYS_MAX; replays++) {
      const without = [...lines.slice(0, at), ...lines.slice(at + size)]
      if ((await failureOf(fuzzer, toText(without))) === wanted) lines = without
      else at += size
    }
  }
  return toText(lines)
}

/** The failure in words that stay the same when numbers and names change; undefined when there is none. */
async function failureOf(fuzzer: Fuzzer, input: string): Promise<string | undefined> {
  try {
    await fuzzer.replay(input)
    return undefined
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    return text.replaceAll(/'[^']*'|\d+/g, '…')
  }
}

function toText(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`
}
