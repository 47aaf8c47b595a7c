/** Frames as clients write them: made from strings here, so that a fault of the codec cannot hide itself. */

export type Value = string | number | boolean
/** Pairs where a name comes twice or the order matters. */
export type HeaderFields = Readonly<Record<string, Value>> | readonly (readonly [name: string, value: Value])[]

const NUL = Buffer.from([0])

/** One frame with the escapes of 1.2, none in CONNECT and STOMP. Has `content-length` only where the headers say so. */
export function frame(command: string, headers: HeaderFields = {}, body: string | Uint8Array = ''): Uint8Array {
  const pairs: readonly (readonly [string, Value])[] = isPairs(headers) ? headers : Object.entries(headers)
  const isLogin = command === 'CONNECT' || command === 'STOMP'
  const write = (text: Value): string => (isLogin ? String(text) : escaped(String(text)))
  const lines = pairs.map(([name, value]) => `${write(name)}:${write(value)}\n`)
  return Buffer.concat([Buffer.from(`${command}\n${lines.join('')}\n`), Buffer.from(body), NUL])
}

/** The text as it is; `^@` stands for NUL. */
export function raw(text: string): Uint8Array {
  return Buffer.from(text.replaceAll('^@', '\0'))
}

function isPairs(headers: HeaderFields): headers is readonly (readonly [string, Value])[] {
  return Array.isArray(headers)
}

function escaped(text: string): string {
  return text.replace(/[\\\n\r:]/g, (char) =>
    char === '\\' ? '\\\\' : char === '\n' ? '\\n' : char === '\r' ? '\\r' : '\\c',
  )
}

// One function for each frame of a client.

export function send(
  destination: string,
  body: string | Uint8Array = '',
  headers: Readonly<Record<string, Value>> = {},
): Uint8Array {
  return frame('SEND', { destination, ...headers }, body)
}

export function subscribe(id: Value, destination: string, headers: Readonly<Record<string, Value>> = {}): Uint8Array {
  return frame('SUBSCRIBE', { id, destination, ...headers })
}

export function unsubscribe(id: Value, headers: Readonly<Record<string, Value>> = {}): Uint8Array {
  return frame('UNSUBSCRIBE', { id, ...headers })
}

export function ack(id: string, headers: Readonly<Record<string, Value>> = {}): Uint8Array {
  return frame('ACK', { id, ...headers })
}

export function nack(id: string, headers: Readonly<Record<string, Value>> = {}): Uint8Array {
  return frame('NACK', { id, ...headers })
}

export function begin(transaction: string, headers: Readonly<Record<string, Value>> = {}): Uint8Array {
  return frame('BEGIN', { transaction, ...headers })
}

export function commit(transaction: string, headers: Readonly<Record<string, Value>> = {}): Uint8Array {
  return frame('COMMIT', { transaction, ...headers })
}

export function abort(transaction: string, headers: Readonly<Record<string, Value>> = {}): Uint8Array {
  return frame('ABORT', { transaction, ...headers })
}

export function disconnect(receipt?: Value): Uint8Array {
  return frame('DISCONNECT', receipt === undefined ? {} : { receipt })
}
