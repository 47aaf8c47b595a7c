/**
 * Standard output that says whether what was printed has arrived. What is only then done with — a message that is taken — waits for `written`;
 * every command does at its end, and those that print without end do after each part.
 */
import { writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import type { CheckedOutput } from '../process/console-io.ts'
import { BrokerError, messageOf, systemCode } from '../errors.ts'

/** What was printed has not all arrived: a file system that is full, or a reader who has left. */
export class OutputLost extends BrokerError {
  /** `… | head`: who leaves knows why, and is told nothing. */
  readonly isReaderGone: boolean

  constructor(cause: unknown) {
    super('OUTPUT_LOST', `cannot write to standard output: ${messageOf(cause)}; what was printed is not complete`, {
      cause,
    })
    this.isReaderGone = systemCode(cause) === 'EPIPE'
  }
}

/** As the process has it. */
type OutputStream = NodeJS.WriteStream & { readonly fd: number }

export class StandardOutput implements CheckedOutput {
  readonly #stream: OutputStream
  #failure: Error | undefined = undefined
  /** Of what was given last; the stream keeps the order. */
  #last: Promise<void> = Promise.resolve()

  constructor(stream: OutputStream) {
    this.#stream = stream
    stream.on('error', (error: Error) => void (this.#failure ??= error))
  }

  get isTTY(): boolean {
    return this.#stream.isTTY
  }

  get columns(): number {
    return this.#stream.columns
  }

  get rows(): number {
    return this.#stream.rows
  }

  write(text: string | Uint8Array): void {
    if (this.#failure !== undefined) return
    if (this.#stream instanceof Socket) this.#last = this.#send(text)
    else this.#put(text)
  }

  /** Rejects with OutputLost when something of what was printed has not gone out. */
  async written(): Promise<void> {
    await this.#last
    if (this.#failure !== undefined) throw new OutputLost(this.#failure)
  }

  /** To a pipe or a terminal. */
  #send(text: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.#stream.write(text, (error) => {
        if (error) this.#failure ??= error
        resolve()
      })
    })
  }

  /** To a file. Node's stream of one takes for done what the disk has taken a part of. */
  #put(text: string | Uint8Array): void {
    try {
      writeFileSync(this.#stream.fd, text)
    } catch (error) {
      this.#failure = error as Error // of the file system
    }
  }
}
