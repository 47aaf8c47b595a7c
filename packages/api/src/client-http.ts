/** A transport over sockets of Node: a port of another machine, or the socket in the data directory. Kept apart: a browser has neither. */
import {
  Agent as HttpAgent,
  type AgentOptions,
  type IncomingMessage,
  request as httpRequest,
  type RequestOptions,
} from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { type ApiTransport, NotTheApi } from './client.ts'
import { API_HEADER } from './route.ts'

export interface UrlTarget {
  /** Everything before `/api/v1`: 'https://broker-1:8161'. */
  readonly url: string
  /** PEM of who signed the server's certificate, where the system does not know. */
  readonly ca?: string | Uint8Array | undefined
}

export type HttpTarget = { readonly socketPath: string } | UrlTarget

export interface HttpTransport {
  readonly send: ApiTransport
  /** Closes connections that are kept for the next call. */
  close(): void
}

/** Without a byte for so long a connection that is being made is given up. */
const CONNECT_TIMEOUT_MS = 10_000

/** Throws TypeError for an address that is none. */
export function httpTransport(target: HttpTarget): HttpTransport {
  const { options, request, prefix, agent } = 'socketPath' in target ? overSocket(target.socketPath) : overUrl(target)
  const send: ApiTransport = ({ method, path, headers, body, signal }) =>
    new Promise((resolve, reject) => {
      const lengths = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
      const call = request(
        {
          ...options,
          agent,
          method,
          path: prefix + path,
          headers: { ...headers, ...lengths },
          ...(signal && { signal }),
        },
        (response) => {
          call.setTimeout(0)
          if (response.headers[API_HEADER] !== undefined)
            return resolve({ status: response.statusCode ?? 0, body: response })
          response.destroy() // it may have no end
          reject(new NotTheApi(whatCame(response)))
        },
      )
      call.on('error', reject)
      call.on('socket', (socket) => {
        if (!socket.connecting) return
        call.setTimeout(CONNECT_TIMEOUT_MS, () => {
          if (socket.connecting) call.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`))
        })
      })
      call.end(body)
    })
  return { send, close: () => agent.destroy() }
}

/** Of another server, for the operator. */
function whatCame({ statusCode, headers }: IncomingMessage): string {
  const { 'content-type': type = 'no content type', server, location } = headers
  const from = server === undefined ? '' : ` from '${server.slice(0, TOLD_CHARS_MAX)}'`
  const to = location === undefined ? '' : `, that leads to '${location.slice(0, TOLD_CHARS_MAX)}'`
  return `an answer${from} with status ${statusCode} and ${type.slice(0, TOLD_CHARS_MAX)}${to}, without the header ${API_HEADER}`
}

/** Of what a stranger says of itself. */
const TOLD_CHARS_MAX = 80

/** How calls get to a target. */
export interface HttpWay {
  readonly options: RequestOptions
  readonly request: (
    options: RequestOptions,
    onAnswer: (response: IncomingMessage) => void,
  ) => ReturnType<typeof httpRequest>
  /** Path before that of the call: '' or '/ternmq'. */
  readonly prefix: string
  readonly agent: HttpAgent
}

function overSocket(socketPath: string): HttpWay {
  return { options: { socketPath }, request: httpRequest, prefix: '', agent: new HttpAgent({ keepAlive: true }) }
}

/** Throws TypeError for an address that is none. */
export function overUrl({ url, ca }: UrlTarget, agentOptions: AgentOptions = {}): HttpWay {
  const { protocol, hostname, port, pathname } = new URL(url)
  if (protocol !== 'http:' && protocol !== 'https:')
    throw new TypeError(`the address '${url}' is not http:// or https://`)
  const isTls = protocol === 'https:'
  const host = hostname.replace(/^\[|\]$/g, '')
  return {
    options: { host, ...(port !== '' && { port }) },
    request: isTls ? httpsRequest : httpRequest,
    prefix: pathname.replace(/\/+$/, ''),
    agent: isTls
      ? new HttpsAgent({ ...agentOptions, keepAlive: true, ...(ca !== undefined && { ca: Buffer.from(ca) }) })
      : new HttpAgent({ ...agentOptions, keepAlive: true }),
  }
}
