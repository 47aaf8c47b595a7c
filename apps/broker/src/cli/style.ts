/** Colours, where a terminal shows them and nobody has set NO_COLOR. */
import type { ConsoleIo } from '../process/console-io.ts'

export interface Style {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly red: (text: string) => string
  readonly yellow: (text: string) => string
  readonly green: (text: string) => string
}

export function styleOf({ stdout, env }: Pick<ConsoleIo, 'stdout' | 'env'>): Style {
  const { NO_COLOR: noColor = '', TERM: term } = env
  const isColoured = stdout.isTTY === true && noColor === '' && term !== 'dumb'
  const code =
    (on: number, off: number) =>
    (text: string): string =>
      isColoured ? `\u001B[${on}m${text}\u001B[${off}m` : text
  return { bold: code(1, 22), dim: code(2, 22), red: code(31, 39), yellow: code(33, 39), green: code(32, 39) }
}
