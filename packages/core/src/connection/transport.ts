/**
 * The byte pipe between a listener and an adapter: TCP, TLS and WebSocket look the same from here.
 * packages/transport and packages/websocket implement it, packages/testkit has one without a kernel. [ADR-0001]
 */

/** What a transport knows of its peer before the peer has said anything. */
export interface PeerInfo {
  /** Key of the listener in the configuration: 'mqtt', 'mqtts', 'ws', 'wss', 'any'. */
  readonly listener: string
  /** Remote IP address; '' for an in-memory pipe. */
  readonly address: string
  readonly port: number
  /** The bytes come in WebSocket messages; false when left out. */
  readonly isWebSocket?: boolean
  /** Present when the bytes are encrypted. */
  readonly tls?: TlsPeer
}

export interface TlsPeer {
  /** 'TLSv1.3'. */
  readonly version: string
  /** Subject common name of a client certificate that the listener's CA verified; undefined without one. */
  readonly commonName?: string
  /** Subject alternative names of the same certificate, as 'DNS:x', 'email:y', 'URI:z'. */
  readonly altNames: readonly string[]
}

/**
 * Output of one connection. All of a turn's output leaves in one write at the end of the turn.
 *
 * Hot path: `const at = out.reserve(n)`, then fill `out.slab` from `at` to `at + n`, at once, before any other call.
 */
export interface Output {
  /** The memory behind the last `reserve`. Changes from call to call: read it after `reserve`. */
  readonly slab: Uint8Array
  /** Room for `byteCount` bytes, in order with all other output. Returns the offset in `slab`. Never throws. Hot path. */
  reserve(byteCount: number): number
  /** Appends a copy of `bytes`. */
  write(bytes: Uint8Array): void
  /**
   * Appends `bytes[start, end)`, all of them by default, without copying where that is cheaper: they must never change afterwards. For large
   * bodies, and for packets that many connections get: ranges that follow one another in the same memory leave as one piece. Hot path.
   */
  writeShared(bytes: Uint8Array, start?: number, end?: number): void
  /** Bytes accepted here that the kernel has not taken yet, this turn's included. */
  readonly pendingBytes: number
  /**
   * False while `pendingBytes` is above the high-water mark; `Connection.onWritable` follows when it is low again. False for good once the
   * connection ends, by either side.
   */
  readonly writable: boolean
}

export interface Transport extends Output {
  /** Unique in the process, ascending. */
  readonly id: number
  readonly peer: PeerInfo
  /** Unix ms of its beginning. */
  readonly openedAtMs: number
  /** Bytes that were read, and handed to the kernel: of a WebSocket with the heads of its frames, of TLS without it. */
  readonly bytesIn: number
  readonly bytesOut: number
  /** No more `onBytes` until `resumeReading`. Idempotent. */
  pauseReading(): void
  resumeReading(): void
  /** Flushes what was written, then closes; destroys when the peer has not taken it within `CLOSE_FLUSH_MS`. Safe to call twice. */
  end(reason: string): void
  /** Closes at once; unsent output is lost. Safe to call twice. */
  destroy(reason: string): void
}

/** The adapter's side of a transport. Calls come from the event loop, never from inside a call to the transport. */
export interface Connection {
  /** `chunk` belongs to the transport again when this returns: copy what must stay. Hot path. */
  onBytes(chunk: Uint8Array): void
  /** Output fell below the low-water mark after `writable` was false. */
  onWritable(): void
  /** The pipe is gone; last call. `reason` is the one given to `end` / `destroy`, or what the network said. */
  onClosed(reason: string): void
}

/** Makes the adapter's side for an accepted transport. A listener calls it once per connection. */
export type AcceptTransport = (transport: Transport) => Connection

/** Protocols that an adapter may speak. */
export type ProtocolName = 'mqtt' | 'stomp' | 'amqp'

/** A protocol as a listener sees it: how it is chosen, and what speaks it. [ADR-0010] */
export interface ServedProtocol {
  readonly name: ProtocolName
  /** Names in `Sec-WebSocket-Protocol`, the preferred one first. */
  readonly websocketSubprotocols: readonly string[]
  /** WebSocket text frames carry bytes too (STOMP), or end the connection (MQTT). */
  readonly takesTextFrames: boolean
  /** Largest packet or frame that a peer may send. */
  readonly inboundBytesMax: number
  readonly accept: AcceptTransport
}

/** What a broker has of every protocol. */
export interface ProtocolAdapter extends ServedProtocol {
  /** Connections that have not ended. */
  readonly connectionCount: number
  /** Tells every client that the broker stops, and closes. */
  drain(): void
}
