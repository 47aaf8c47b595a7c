/** What the measurements of queues have in common. */
import { parseArgs } from 'node:util'

/** A queue may hold what is measured; all else is as a user has it. */
export const CONFIG = { queues: { bytesMax: 1_099_511_627_776 } } as const

type Numbers = Readonly<Record<string, number>>

/** `--name N` for each of `defaults`, `--dry`, `--help`. Undefined when help was asked for, and given. */
export function parseNumbers<T extends Numbers>(
  args: readonly string[],
  defaults: T,
  help: string,
): (Record<keyof T, number> & { readonly isDry: boolean }) | undefined {
  const numbers = Object.keys(defaults).map((name) => [name, { type: 'string' }] as const)
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...Object.fromEntries(numbers),
      dry: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values['help'] === true) {
    process.stdout.write(help)
    return undefined
  }
  const given = values as Readonly<Record<string, string | boolean | undefined>>
  const parsed = Object.entries(defaults).map(([name, value]) => [name, wholeNumber(name, given[name], value)] as const)
  return { ...(Object.fromEntries(parsed) as Record<keyof T, number>), isDry: given['dry'] === true }
}

function wholeNumber(name: string, text: string | boolean | undefined, otherwise: number): number {
  if (text === undefined) return otherwise
  if (typeof text !== 'string' || !/^[1-9]\d{0,9}$/.test(text))
    throw new Error(`--${name} ${text}: must be a whole number from 1`)
  return Number(text)
}
