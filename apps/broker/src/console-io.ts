/** What a command has of the world: its streams, its environment, its directory. */
import { asStarted, type Started } from './as-started.ts'

export interface ConsoleIo {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean }
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean }
  readonly env: Readonly<Record<string, string | undefined>>
  /** For advice that names a command. */
  readonly started: Started
}

/** What is wrong, on stderr, one sentence a line. */
export function complain(io: ConsoleIo, sentences: readonly string[]): void {
  for (const sentence of sentences) io.stderr.write(`ternmq: ${asStarted(sentence, io.started)}\n`)
}
