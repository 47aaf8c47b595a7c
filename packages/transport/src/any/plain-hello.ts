/**
 * Stands before the adapter of a plain connection until its first bytes are there: to the adapter the hello of TLS is a broken packet, and
 * whoever looks for the reason would have to know what begins with 16 03. No protocol without TLS begins so. [ADR-0010]
 */
import type { Connection } from '@ternmq/core'

import { detectProtocol } from './detect.ts'

/** What the hello needs of its transport. */
interface PlainTransport {
  /** From now on bytes go straight to the adapter. */
  attach(connection: Connection): void
  end(reason: string): void
}

export class PlainHello implements Connection {
  readonly #transport: PlainTransport
  readonly #connection: Connection
  readonly #onTls: () => string

  /** `onTls`: the peer uses TLS; returns the reason for its end. */
  constructor(transport: PlainTransport, connection: Connection, onTls: () => string) {
    this.#transport = transport
    this.#connection = connection
    this.#onTls = onTls
  }

  onBytes(chunk: Uint8Array): void {
    // A hello that was cut behind its first byte is the adapter's to judge: to wait for the second would cost a time limit of its own.
    if (detectProtocol(chunk) === 'tls') return this.#refuse(this.#onTls())
    this.#transport.attach(this.#connection)
    this.#connection.onBytes(chunk)
  }

  onWritable(): void {
    this.#connection.onWritable()
  }

  onClosed(reason: string): void {
    this.#connection.onClosed(reason)
  }

  /** For the adapter it is over now, however long the peer takes to close its side. */
  #refuse(reason: string): void {
    this.#transport.attach(NOBODY)
    this.#connection.onClosed(reason)
    this.#transport.end(reason)
  }
}

const NOBODY: Connection = { onBytes() {}, onWritable() {}, onClosed() {} }
