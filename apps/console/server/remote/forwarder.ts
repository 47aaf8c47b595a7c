/**
 * Hands calls on to the broker, and its answers back, as they come: nothing is kept, a caller who leaves ends the call at the broker too, and half
 * an answer never looks like a whole one.
 */
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { type HttpWay, overUrl, type UrlTarget } from '@ternmq/api/client-http'
import { ApiError } from '@ternmq/management'
import {
  LARGE_BODY_BYTES_MAX,
  REMOTE_CALLS_MAX,
  REMOTE_CONNECT_MS,
  REMOTE_HOPS_MAX,
  REMOTE_SILENCE_MS,
} from '../limits.ts'
import { CallerAddresses } from './caller-address.ts'
import { HeaderRules, VIA } from './headers.ts'
import { answerProblem } from './refusal.ts'

export interface ForwarderOptions {
  readonly broker: UrlTarget
  /** Whether browsers reach the pages over TLS. */
  readonly isTls: boolean
  readonly origins: readonly string[]
  readonly trustedProxies: readonly string[]
  /** Of every answer. */
  readonly headers: Readonly<Record<string, string>>
  /** Why the broker cannot be reached and what to do, in a sentence. */
  readonly lossText: (error: Error) => string
  /** Undefined when it answers again; called when that changes. */
  readonly onLoss: (text: string | undefined) => void
  /** Called for a connection with a call that the broker did not refuse. */
  readonly onLetIn: (socket: Socket) => void
}

/** What may be made again, when a connection that was kept turns out to be gone. [RFC 9110 §9.2.2] */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD'])

export class Forwarder {
  readonly #options: ForwarderOptions
  readonly #way: HttpWay
  readonly #rules: HeaderRules
  readonly #addresses: CallerAddresses
  readonly #underWay = new Set<ClientRequest>()
  #isLost = false

  /** Throws TypeError for an address that is none. */
  constructor(options: ForwarderOptions) {
    const { broker, isTls, origins, trustedProxies } = options
    this.#options = options
    // Its time is that of a connection being made, and of one that waits for its next call.
    this.#way = overUrl(broker, { timeout: REMOTE_CONNECT_MS, maxSockets: REMOTE_CALLS_MAX })
    this.#rules = new HeaderRules({ origin: new URL(broker.url).origin, prefix: this.#way.prefix, origins, isTls })
    this.#addresses = new CallerAddresses(trustedProxies)
  }

  /** `target` is path and query. Throws ApiError for a call that is not handed on. */
  handOn(request: IncomingMessage, response: ServerResponse, target: string): void {
    const { headers } = request
    if (this.#underWay.size >= REMOTE_CALLS_MAX)
      throw new ApiError('BUSY', `${REMOTE_CALLS_MAX} calls are under way through this console; try again`)
    if (Number(headers['content-length'] ?? 0) > LARGE_BODY_BYTES_MAX)
      throw new ApiError('TOO_LARGE', `the body is longer than ${LARGE_BODY_BYTES_MAX} bytes`)
    if ((headers.via ?? '').split(VIA).length > REMOTE_HOPS_MAX)
      throw new ApiError(
        'CONFLICT',
        `${this.#options.broker.url} leads back to this console; give it the address of a broker`,
      )
    this.#send(request, response, target)
  }

  /** Whether the broker answers, without a call of anybody. Resolves when that is known, and `onLoss` has been told. */
  async look(): Promise<void> {
    const { options, request, prefix, agent } = this.#way
    await new Promise<void>((resolve) => {
      const call = request({ ...options, agent, path: `${prefix}/health/live` }, (answer) => {
        answer.resume()
        const isHealth = answer.headers['content-type']?.startsWith('application/json') === true // well or not
        this.#setLoss(this.#redirectText(answer) ?? (isHealth ? undefined : this.#strangerText()))
        resolve()
      })
      call.on('timeout', () => call.destroy(silence(call)))
      call.on('error', (error) => {
        this.#setLoss(this.#options.lossText(error))
        resolve()
      })
      call.end()
    })
  }

  /** Ends every call. */
  close(): void {
    for (const call of this.#underWay) call.destroy()
    this.#way.agent.destroy()
  }

  #send(incoming: IncomingMessage, response: ServerResponse, target: string): void {
    const { options, request, prefix, agent } = this.#way
    const { method = 'GET', headers } = incoming
    const call = request(
      {
        ...options,
        agent,
        method,
        path: prefix + target,
        headers: this.#rules.toBroker(headers, this.#addresses.of(incoming)),
      },
      (answer) => this.#answer(answer, response),
    )
    let wasSent = false
    call.once('socket', (to) => {
      if (call.reusedSocket) wasSent = true
      else to.once(to instanceof TLSSocket ? 'secureConnect' : 'connect', () => (wasSent = true))
    })
    const leave = (): void => void call.destroy()
    this.#underWay.add(call)
    response.once('close', leave)
    call.once('close', () => {
      this.#underWay.delete(call)
      response.off('close', leave)
      incoming.resume() // what is left of a body that was answered before its end
    })
    call.setTimeout(REMOTE_SILENCE_MS)
    call.on('timeout', () => call.destroy(silence(call)))
    call.on('error', (error: NodeJS.ErrnoException) => {
      if (response.headersSent || response.destroyed) return // the answer's own way ends it
      if (call.reusedSocket && error.code === 'ECONNRESET' && SAFE.has(method) && !hasBody(headers))
        return this.#send(incoming, response, target)
      this.#refuse(incoming, response, error, wasSent)
    })
    incoming.pipe(call)
  }

  #answer(answer: IncomingMessage, response: ServerResponse): void {
    const { statusCode = 0, headers } = answer
    // A status below 200 is no answer, whoever gives it.
    const why = this.#redirectText(answer) ?? (statusCode < 200 ? this.#strangerText() : undefined)
    this.#setLoss(why)
    if (why !== undefined) {
      answer.destroy()
      return answerProblem(response, new ApiError('UNREACHABLE', why), this.#options.headers)
    }
    response.writeHead(statusCode, { ...this.#rules.toCaller(headers), ...this.#options.headers })
    if (statusCode < 400 && response.socket !== null) this.#options.onLetIn(response.socket)
    response.flushHeaders() // of a stream that has nothing to say yet
    pipeline(answer, response, () => {}) // ends both; the page sees an answer that breaks off
  }

  #refuse(incoming: IncomingMessage, response: ServerResponse, error: Error, wasSent: boolean): void {
    const text = this.#options.lossText(error)
    this.#setLoss(text)
    const mayBeDone = wasSent && !SAFE.has(incoming.method ?? '')
    const detail = mayBeDone ? `${text}. Whether the call was done is not known: look before you repeat it` : text
    const code = wasSent && error instanceof NoAnswer ? 'NO_ANSWER' : 'UNREACHABLE'
    answerProblem(response, new ApiError(code, detail), this.#options.headers)
  }

  #redirectText({ statusCode = 0, headers }: IncomingMessage): string | undefined {
    if (statusCode < 300 || statusCode >= 400) return undefined
    const { url } = this.#options.broker
    return `${url} answers with a redirect to ${headers.location ?? 'nowhere'}: start this console with the address that it leads to`
  }

  #strangerText(): string {
    return `${this.#options.broker.url} answers, but not as the console of a broker: see the address, its port and its path`
  }

  #setLoss(text: string | undefined): void {
    const isLost = text !== undefined
    if (isLost === this.#isLost) return
    this.#isLost = isLost
    this.#options.onLoss(text)
  }
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

class NoAnswer extends Error {}

function silence({ socket }: ClientRequest): NoAnswer {
  return socket?.connecting === false
    ? new NoAnswer(`no answer within ${REMOTE_SILENCE_MS} ms`)
    : new NoAnswer(`no connection within ${REMOTE_CONNECT_MS} ms`)
}
