/**
 * Finds the adapter of a connection by its first bytes. Until they are there the connection has a time limit and a few bytes of
 * memory; afterwards the adapter stands in the chooser's place, and nothing of it is left in the way. [ADR-0010]
 */
import type { Clock, Connection, ServedProtocol, Transport } from '@ternmq/core'

import { detectProtocol } from './detect.ts'
import { Handshakes } from '../handshakes.ts'
import type { PeerFault } from '../listener.ts'
import { shown, unserved } from './unserved.ts'

/** A transport whose adapter is found later. */
export interface UndecidedTransport extends Transport {
  /** Until then. */
  attach(connection: Connection): void
  /** `protocol` has it from now on, beginning with `firstBytes`. */
  choose(protocol: ServedProtocol, firstBytes: Uint8Array): void
  /** Nobody wants it: closes, after `answer` where the peer would understand it. */
  refuse(reason: string, answer: Uint8Array | undefined): void
}

export interface ProtocolChooserOptions {
  /** Key of the listener. */
  readonly listener: string
  readonly clock: Clock
  readonly protocols: readonly ServedProtocol[]
  /** Between the beginning and the last byte that is needed. */
  readonly limitMs: number
  /** Where a browser or a WebSocket client should have gone: a sentence, or ''. */
  readonly httpAdvice: () => string
  /** Where a client that uses TLS should have gone: what a sentence ends with, or ''. Left out where there is nothing but TLS. */
  readonly tlsAdvice?: () => string
  readonly notServed: (fault: PeerFault, address: string, text: string) => void
}

export class ProtocolChooser {
  readonly #options: ProtocolChooserOptions
  readonly #undecided: Handshakes<Undecided, string>

  constructor(options: ProtocolChooserOptions) {
    this.#options = options
    this.#undecided = new Handshakes(options.clock, options.limitMs, (address, limitMs) => {
      options.notServed('silent', address, silentText(limitMs))
    })
  }

  /** For connections from now on. */
  set limitMs(limitMs: number) {
    this.#undecided.limitMs = limitMs
  }

  begin(transport: UndecidedTransport): void {
    const undecided = new Undecided(this, transport)
    transport.attach(undecided)
    this.#undecided.begin(undecided, transport.peer.address)
  }

  /** Gives up those that are not decided. */
  destroyUndecided(): void {
    this.#undecided.destroyAll()
  }

  /** Only `Undecided` calls this. True when no more bytes are needed. */
  decide(undecided: Undecided, bytes: Uint8Array): boolean {
    const found = detectProtocol(bytes)
    if (found === 'more') return false
    this.#undecided.finish(undecided)
    const { protocols, listener, httpAdvice, tlsAdvice, notServed } = this.#options
    const { transport } = undecided
    const protocol = protocols.find(({ name }) => name === found)
    if (protocol !== undefined) {
      transport.choose(protocol, bytes)
      return true
    }
    const names = protocols.map(({ name }) => name)
    const advice = { httpAdvice: httpAdvice(), tlsAdvice: tlsAdvice?.() ?? '' }
    const { fault, text, answer } = unserved(found, bytes, { listener, protocols: names, ...advice })
    notServed(fault, transport.peer.address, text)
    transport.refuse(text, answer)
    return true
  }

  /** Only `Undecided` calls this: the connection is gone, with these bytes that said too little. */
  closed(undecided: Undecided, bytes: Uint8Array): void {
    const address = this.#undecided.finish(undecided)
    // Who connects and says nothing looks whether the port is open.
    if (address === undefined || bytes.length === 0) return
    this.#options.notServed('unknown-protocol', address, closedText(bytes))
  }
}

/** Stands where the adapter will be. */
class Undecided implements Connection {
  readonly transport: UndecidedTransport
  readonly #chooser: ProtocolChooser
  #bytes: Uint8Array = NO_BYTES

  constructor(chooser: ProtocolChooser, transport: UndecidedTransport) {
    this.#chooser = chooser
    this.transport = transport
  }

  onBytes(chunk: Uint8Array): void {
    const bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    this.#bytes = this.#chooser.decide(this, bytes) ? NO_BYTES : bytes === chunk ? Uint8Array.from(chunk) : bytes
  }

  onWritable(): void {}

  onClosed(): void {
    this.#chooser.closed(this, this.#bytes)
  }

  /** Too late. */
  destroy(): void {
    this.transport.destroy('the peer did not say what it speaks')
  }
}

const NO_BYTES = new Uint8Array(0)

export function silentText(limitMs: number): string {
  return `the peer did not send the first bytes of a protocol within ${limitMs} ms`
}

export function closedText(bytes: Uint8Array): string {
  return `the peer closed after its first bytes: ${shown(bytes)}`
}
