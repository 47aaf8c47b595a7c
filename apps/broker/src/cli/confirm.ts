/** Asks before something is lost. */
import { createInterface } from 'node:readline'
import type { ConsoleIo } from '../process/console-io.ts'
import { BrokerError, UsageError } from '../errors.ts'
import { safeText } from './text.ts'

interface YesOption {
  readonly yes: { readonly type: 'boolean'; readonly short: 'y'; readonly summary: string }
}

/** Of every command that destroys something. */
export const YES_OPTION: YesOption = {
  yes: { type: 'boolean', short: 'y', summary: 'without being asked; needed where there is no terminal' },
}

/**
 * Resolves when it may be done. `what` names it and how much it is: "purge queue 'orders' with 12 messages". Rejects with UsageError where
 * nobody can be asked, BrokerError 'NOT_CONFIRMED' for any answer but yes.
 */
export async function confirm(
  what: string,
  { io, values }: { readonly io: ConsoleIo; readonly values: { readonly yes?: boolean | undefined } },
): Promise<void> {
  if (values.yes === true) return
  if (!io.stdin.isTTY || io.stderr.isTTY !== true)
    throw new UsageError(`there is no terminal to ask at whether to ${what}; give --yes`)
  io.stderr.write(`${safeText(what.charAt(0).toUpperCase() + what.slice(1))}? [y/N] `)
  const answer = await firstLine(io.stdin)
  if (['y', 'yes'].includes(answer.trim().toLowerCase())) return
  throw new BrokerError('NOT_CONFIRMED', 'nothing has changed')
}

/** '' when there is none: Ctrl-D is no yes. */
async function firstLine(stdin: NodeJS.ReadableStream): Promise<string> {
  const lines = createInterface({ input: stdin })
  try {
    return await new Promise((resolve) => {
      lines.once('line', resolve)
      lines.once('close', () => resolve(''))
    })
  } finally {
    lines.close()
  }
}
