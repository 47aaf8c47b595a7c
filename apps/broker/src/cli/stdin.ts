/** Standard input, which can be one thing only. */
import type { ConsoleIo } from '../process/console-io.ts'
import { UsageError } from '../errors.ts'
import type { CommonOptions, Values } from './command.ts'

export interface StdinInput {
  readonly io: Pick<ConsoleIo, 'stdin'>
  readonly values: Pick<Values<CommonOptions>, 'password-stdin'>
}

/** For what a command reads. Throws UsageError where the password of the login was there. */
export function stdinOf({ io, values }: StdinInput, what: string): ConsoleIo['stdin'] {
  if (values['password-stdin'] === true)
    throw new UsageError(`standard input is the password, and cannot be ${what} too; log in with TERNMQ_TOKEN`)
  return io.stdin
}
