/** Errors of listeners and certificates, each with a stable code. */

export type TransportErrorCode =
  | 'LISTENER_PORT_IN_USE'
  | 'LISTENER_ADDRESS_UNKNOWN'
  | 'LISTENER_NOT_PERMITTED'
  | 'LISTENER_CANNOT_BIND'
  | 'CERTIFICATE_UNREADABLE'
  | 'CERTIFICATE_INVALID'

export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly code: TransportErrorCode

  constructor(code: TransportErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** `code` of a system error ('ECONNRESET'); undefined when it has none. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return typeof code === 'string' ? code : undefined
}

/** What an operator may do about a failed bind. `key` is the listener's key in the configuration. */
export function bindError(key: string, host: string, port: number, cause: unknown): TransportError {
  const start = `listener ${key} cannot bind ${host.includes(':') ? `[${host}]` : host}:${port}`
  const code = systemCode(cause)
  if (code === 'EADDRINUSE') {
    const text = `${start}: the port is in use; stop the other program or set listeners.${key}.port`
    return new TransportError('LISTENER_PORT_IN_USE', text, { cause })
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EAFNOSUPPORT') {
    const text = `${start}: this machine has no such address; set listeners.${key}.host to one of its own`
    return new TransportError('LISTENER_ADDRESS_UNKNOWN', text, { cause })
  }
  if (code === 'EACCES' || code === 'EPERM') {
    const text = `${start}: not permitted; set listeners.${key}.port above 1023 or give the process the right to use it`
    return new TransportError('LISTENER_NOT_PERMITTED', text, { cause })
  }
  const text = `${start}: ${cause instanceof Error ? cause.message : String(cause)}`
  return new TransportError('LISTENER_CANNOT_BIND', text, { cause })
}

const REASON_BY_CODE: Readonly<Record<string, string>> = {
  ECONNRESET: 'connection reset by peer',
  EPIPE: 'peer closed while we were writing',
  ETIMEDOUT: 'network timeout',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ECONNABORTED: 'connection aborted',
}

/** Why the network ended a connection, for logs and events. */
export function closeReason(error: unknown): string {
  const code = systemCode(error)
  const reason = code === undefined ? undefined : REASON_BY_CODE[code]
  if (reason !== undefined) return `${reason} (${code})`
  return error instanceof Error ? error.message : String(error)
}
