/** What a command has of the world: its streams, its environment, its directory. */
import { asStarted, type Started } from './as-started.ts'

export interface ConsoleOutput {
  write(text: string | Uint8Array): unknown
  readonly isTTY?: boolean
  /** Of a terminal. */
  readonly columns?: number
  readonly rows?: number
}

export interface ConsoleIo {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: ConsoleOutput
  readonly stderr: ConsoleOutput
  readonly env: Readonly<Record<string, string | undefined>>
  /** For advice that names a command. */
  readonly started: Started
}

/** What is wrong, on stderr, one sentence a line. */
export function complain(io: Pick<ConsoleIo, 'stderr' | 'started'>, sentences: readonly string[]): void {
  for (const sentence of sentences) io.stderr.write(`ternmq: ${asStarted(sentence, io.started)}\n`)
}
