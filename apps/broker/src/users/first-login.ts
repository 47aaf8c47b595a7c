/** How whoever starts a broker for the first time learns the password that was made: last, where it is not scrolled away, and in a frame. */
import { asStarted } from '../process/as-started.ts'
import type { ConsoleIo } from '../process/console-io.ts'
import type { FirstLogin } from './first-administrator.ts'

export class FirstLoginNotice {
  readonly #io: Pick<ConsoleIo, 'stderr' | 'started'>
  #login: FirstLogin | undefined = undefined

  constructor(io: Pick<ConsoleIo, 'stderr' | 'started'>) {
    this.#io = io
  }

  /** For `show`. Nobody else knows the password, so it has to be shown whatever becomes of the start. */
  readonly keep = (login: FirstLogin): void => {
    this.#login = login
  }

  /** Whether there is something to show. */
  get isKept(): boolean {
    return this.#login !== undefined
  }

  /** Once; nothing where nobody was made. `url` is that of the console; undefined when the start has failed. */
  show(url: string | undefined): void {
    if (this.#login === undefined) return
    const { user, password } = this.#login
    this.#login = undefined
    const lines = [
      url === undefined
        ? 'The start has failed, but a user for the console was made:'
        : `The console is at ${url} and this is who logs in there:`,
      `  user      ${user}`,
      `  password  ${password}`,
      `The password is shown only this once. \`ternmq users passwd ${user}\` sets another.`,
    ]
    // Open at the right: a line that is too long for the terminal breaks nothing.
    const framed = ['┌──', ...lines.map((line) => `│ ${asStarted(line, this.#io.started)}`), '└──']
    this.#io.stderr.write(`\n${framed.join('\n')}\n\n`)
  }
}
