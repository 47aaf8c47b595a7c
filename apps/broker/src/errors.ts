/** Errors of the broker as a whole. The message is for the operator: which thing, which value, which rule, what to do. */

export type BrokerErrorCode =
  | 'CONFIG_INVALID'
  | 'LISTENER_EXPOSED'
  | 'CERTIFICATE_MISSING'
  | 'DATA_DIR_IN_USE'
  | 'DATA_DIR_UNUSABLE'
  | 'ADMIN_SOCKET_FAILED'
  | 'CONSOLE_PORT_FAILED'
  | 'CA_UNREADABLE'
  | 'FILE_UNREADABLE'
  | 'FILE_UNWRITABLE'
  | 'OUTPUT_LOST'
  | 'NOT_CONFIRMED'
  | 'COMMAND_REFUSED'
  | 'PASSWORD_NOT_GIVEN'
  | 'PASSWORD_UNUSABLE'
  | 'STORE_UNUSABLE'
  | 'STORE_FAILED'

export class BrokerError extends Error {
  override readonly name = 'BrokerError'
  readonly code: BrokerErrorCode

  constructor(code: BrokerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** There is no answer: exit code 3. The message says who was asked, and what to do. */
export class BrokerUnreachable extends Error {
  override readonly name = 'BrokerUnreachable'
  /** No broker runs on the data directory. */
  readonly isNobodyThere: boolean

  constructor(
    message: string,
    { isNobodyThere = false, ...options }: ErrorOptions & { readonly isNobodyThere?: boolean },
  ) {
    super(message, options)
    this.isNobodyThere = isNobodyThere
  }
}

/** The command line was not understood: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** `code` of a system error: 'ENOENT'; '' when it has none. */
export function systemCode(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : ''
}
