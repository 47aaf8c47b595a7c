/**
 * Server-sent events. Each stream ends when its caller is not let in any more, at its heartbeat where time alone has ended the login, and
 * says when its caller does not keep up; their number is bounded, of all and of one user.
 */
import type { ServerResponse } from 'node:http'
import { ApiError, type EventSink } from '@ternmq/management'
import type { Identity } from './identity.ts'
import {
  STREAM_ABANDONED_BYTES_MAX,
  STREAM_HEARTBEAT_MS,
  STREAM_PENDING_BYTES_MAX,
  STREAMS_MAX,
  STREAMS_PER_USER_MAX,
  STREAMS_WITHOUT_ROLE_MAX,
} from './limits.ts'
import type { ServerClock } from './options.ts'

/** Ends the stream on the broker's side. */
type Stop = () => void

/** Who gets a stream, and what aborts when he is not to have it any more. */
export interface StreamCaller {
  readonly identity: Identity
  readonly signal: AbortSignal
}

export class Streams {
  readonly #clock: Pick<ServerClock, 'after'>
  readonly #open = new Map<Stream, Identity>()

  constructor(clock: Pick<ServerClock, 'after'>) {
    this.#clock = clock
  }

  get count(): number {
    return this.#open.size
  }

  /** Of all streams some are kept for callers with a role, who look after the broker. Throws ApiError('LIMIT_REACHED'). */
  checkRoom({ user, role }: Pick<Identity, 'user' | 'role'>): void {
    const callers = [...this.#open.values()]
    const ofUser = callers.filter((other) => other.user === user).length
    if (ofUser >= STREAMS_PER_USER_MAX) {
      throw new ApiError('LIMIT_REACHED', `${STREAMS_PER_USER_MAX} streams of user '${user}' are open; close one first`)
    }
    if (role === undefined && callers.filter((other) => other.role === undefined).length >= STREAMS_WITHOUT_ROLE_MAX) {
      const text = `${STREAMS_WITHOUT_ROLE_MAX} streams of users without a role in the console are open`
      throw new ApiError('LIMIT_REACHED', `${text}; close one first`)
    }
    if (callers.length >= STREAMS_MAX) {
      throw new ApiError('LIMIT_REACHED', `${STREAMS_MAX} streams are open; close one first`)
    }
  }

  /**
   * Takes the response over and lets `begin` send. What that refuses before it has sent anything rejects, and the response is as it was: the
   * headers go out with the first event, or once `begin` is through.
   */
  async serve(
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
    caller: StreamCaller,
    begin: (sink: EventSink) => Stop | Promise<Stop>,
  ): Promise<void> {
    const stream = new Stream(response, headers, caller, this.#clock, () => this.#open.delete(stream))
    this.#open.set(stream, caller.identity)
    try {
      stream.started(await begin(stream))
    } catch (error) {
      this.#open.delete(stream)
      if (!stream.hasBegun) throw error
      stream.end()
    }
  }

  endAll(): void {
    for (const stream of this.#open.keys()) stream.end()
  }
}

class Stream implements EventSink {
  readonly #response: ServerResponse
  readonly #headers: Readonly<Record<string, string>>
  readonly #identity: Identity
  readonly #clock: Pick<ServerClock, 'after'>
  readonly #onEnd: () => void
  #stop: Stop | undefined
  #hasEnded = false
  #cancelHeartbeat: () => void = () => {}

  constructor(
    response: ServerResponse,
    headers: Readonly<Record<string, string>>,
    { identity, signal }: StreamCaller,
    clock: Pick<ServerClock, 'after'>,
    onEnd: () => void,
  ) {
    this.#response = response
    this.#headers = headers
    this.#identity = identity
    this.#clock = clock
    this.#onEnd = onEnd
    response.once('close', () => this.#finish())
    signal.addEventListener('abort', () => this.end(), { once: true })
  }

  get hasBegun(): boolean {
    return this.#response.headersSent
  }

  get writable(): boolean {
    return !this.#hasEnded && this.#response.writableLength < STREAM_PENDING_BYTES_MAX
  }

  send(event: string, data: unknown, id?: number): void {
    this.#write(`event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`)
  }

  end(): void {
    if (this.#hasEnded) return
    this.#begin()
    this.#response.end()
    this.#finish()
  }

  started(stop: Stop): void {
    if (this.#hasEnded) return stop()
    this.#stop = stop
    this.#write(':\n\n') // the caller learns that it is let in
    this.#beat()
  }

  #beat(): void {
    this.#cancelHeartbeat = this.#clock.after(STREAM_HEARTBEAT_MS, () => {
      if (!this.#identity.isValid()) return this.end()
      this.#write(':\n\n')
      if (!this.#hasEnded) this.#beat()
    })
  }

  #write(text: string): void {
    if (this.#hasEnded) return
    this.#begin()
    this.#response.write(text)
    if (this.#response.writableLength > STREAM_ABANDONED_BYTES_MAX) {
      this.#response.destroy()
      this.#finish()
    }
  }

  #begin(): void {
    if (this.hasBegun) return
    const ours = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' } // nginx would gather events
    this.#response.writeHead(200, { ...this.#headers, ...ours })
  }

  #finish(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#cancelHeartbeat()
    this.#onEnd()
    this.#stop?.()
  }
}
