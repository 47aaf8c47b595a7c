/** Reads a password: from a pipe, or typed at a terminal that does not show it. */
import { safeText } from '../cli/text.ts'
import type { ConsoleIo } from '../process/console-io.ts'
import { BrokerError, UsageError } from '../errors.ts'

/** Bytes read for a password. More cannot be one. */
const INPUT_BYTES_MAX = 16 * 1024

const CTRL_C = '\u0003'
const CTRL_D = '\u0004'
const CTRL_U = '\u0015'

/** All of standard input but a line break at its end. */
export async function readPassword(stdin: AsyncIterable<Uint8Array | string>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > INPUT_BYTES_MAX)
      throw new BrokerError(
        'PASSWORD_NOT_GIVEN',
        `standard input has more than ${INPUT_BYTES_MAX} bytes; a password is expected there`,
      )
    chunks.push(bytes)
  }
  const bytes = Buffer.concat(chunks)
  const end = bytes.at(-1) === 0x0a ? (bytes.at(-2) === 0x0d ? 2 : 1) : 0
  return bytes.subarray(0, bytes.length - end)
}

/** Asks twice. Throws UsageError when there is no terminal, BrokerError when the two differ. */
export async function promptPassword(io: ConsoleIo, name: string): Promise<Uint8Array> {
  if (!io.stdin.isTTY)
    throw new UsageError('standard input is no terminal to ask for a password at; give --password-stdin')
  const password = await promptHidden(io, `Password for ${name}: `)
  const again = await promptHidden(io, 'The same again: ')
  if (password !== again) throw new BrokerError('PASSWORD_NOT_GIVEN', 'the two passwords differ; nothing has changed')
  return Buffer.from(password)
}

/** Asks once, for a login. Throws UsageError when there is no terminal. */
export async function promptLogin(io: ConsoleIo, name: string): Promise<Uint8Array> {
  if (!io.stdin.isTTY)
    throw new UsageError('standard input is no terminal to ask for a password at; give --password-stdin, or a token')
  return Buffer.from(await promptHidden(io, `Password for ${name}: `))
}

/** As it goes over HTTP. Throws BrokerError for what is no UTF-8. */
export function toPasswordText(password: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(password)
  } catch (cause) {
    throw new BrokerError('PASSWORD_UNUSABLE', 'the password is not UTF-8; no client could send it', { cause })
  }
}

/** One line, not shown. Ctrl-C throws. */
async function promptHidden({ stdin, stderr }: ConsoleIo, question: string): Promise<string> {
  stdin.setRawMode(true) // before the question: what is typed at once must not be seen either
  stderr.write(safeText(question))
  stdin.setEncoding('utf8')
  stdin.resume()
  try {
    return await new Promise<string>((resolve, reject) => {
      let line = ''
      const done = (finish: () => void): void => {
        stdin.off('data', take)
        finish()
      }
      const take = (text: string): void => {
        for (const key of text) {
          if (key === '\r' || key === '\n') return done(() => resolve(line))
          if (key === CTRL_C || key === CTRL_D)
            return done(() =>
              reject(new BrokerError('PASSWORD_NOT_GIVEN', 'no password was given; nothing has changed')),
            )
          line = key === CTRL_U ? '' : key === '\b' || key === '\u007f' ? [...line].slice(0, -1).join('') : line + key
        }
      }
      stdin.on('data', take)
    })
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}
