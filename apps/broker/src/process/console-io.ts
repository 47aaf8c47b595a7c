/** What a command has of the world: its streams, its environment, its directory. */
import { asStarted, type Started } from './as-started.ts'
import { safeText } from '../cli/text.ts'

export interface ConsoleOutput {
  write(text: string | Uint8Array): unknown
  readonly isTTY?: boolean
  /** Of a terminal. */
  readonly columns?: number
  readonly rows?: number
}

export interface CheckedOutput extends ConsoleOutput {
  /** Resolves when all that was written has gone out. Rejects with OutputLost when it cannot. */
  written(): Promise<void>
}

export interface ConsoleIo {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: CheckedOutput
  readonly stderr: ConsoleOutput
  readonly env: Readonly<Record<string, string | undefined>>
  /** For advice that names a command. */
  readonly started: Started
}

/** What is wrong, on stderr, one sentence a line, whatever texts of others are in it. */
export function complain(io: Pick<ConsoleIo, 'stderr' | 'started'>, sentences: readonly string[]): void {
  for (const sentence of sentences) io.stderr.write(`ternmq: ${safeText(asStarted(sentence, io.started))}\n`)
}
