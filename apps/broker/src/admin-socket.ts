/**
 * How commands reach a running broker: a socket in the data directory that only its owner may open. A connection is one
 * request, a line of JSON, and one answer, another.
 */
import { chmodSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'

import { BrokerError, messageOf, systemCode } from './errors.ts'
import { shortAddress } from './socket-path.ts'

/** Bytes of a request. Beyond it the connection is answered with an error: no request is that long. */
const REQUEST_BYTES_MAX = 64 * 1024

/** Bytes of an answer: a hundred thousand users. Beyond it the asker gives up. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024

/** A connection that has not sent its request by then is closed. */
const REQUEST_MS = 5_000

/** How long the asker waits unless it says otherwise: requests are done one after another, and one with a password takes a quarter of a second. */
const ANSWER_MS = 60_000

/** Connections at one time. Beyond it a new one is closed at once. */
const CONNECTIONS_MAX = 32

type Answer = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: string }

/** Does one request. What it throws is told to the asker. */
export type RequestHandler = (request: unknown) => Promise<unknown>

export interface AdminSocket {
  /** Open connections are closed, requests under way are not waited for. */
  close(): Promise<void>
}

/** Listens at `path`. Whoever holds the data directory's lock may call it: a socket of a broker that died is replaced. */
export async function openAdminSocket(path: string, handle: RequestHandler): Promise<AdminSocket> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serve(socket, handle)
  })
  server.maxConnections = CONNECTIONS_MAX
  const address = shortAddress(path)
  try {
    rmSync(path, { force: true })
    await listenPrivately(server, address.path)
    chmodSync(path, 0o600)
  } catch (cause) {
    address.free()
    const text = `cannot open the admin socket ${path}: ${messageOf(cause)}; choose another directory with --data-dir`
    throw new BrokerError('ADMIN_SOCKET_FAILED', text, { cause })
  }
  return {
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => {
          rmSync(path, { force: true })
          address.free()
          resolve()
        })
      }),
  }
}

/** The socket is never open to others, not even between its making and a chmod. */
function listenPrivately(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const umask = process.umask(0o177)
    try {
      server.listen(path, () => {
        server.off('error', reject)
        resolve()
      })
    } finally {
      process.umask(umask) // a path is bound before `listen` returns
    }
  })
}

function serve(socket: Socket, handle: RequestHandler): void {
  let text = ''
  let isAsked = false
  socket.setEncoding('utf8')
  socket.setTimeout(REQUEST_MS, () => socket.destroy())
  socket.on('error', () => socket.destroy()) // the asker is gone: nobody to tell
  const answer = (value: Answer): void => void socket.end(`${JSON.stringify(value)}\n`)
  socket.on('data', (chunk: string) => {
    if (isAsked) return
    text += chunk
    const end = text.indexOf('\n')
    if (end < 0 && text.length <= REQUEST_BYTES_MAX) return
    isAsked = true
    if (end < 0) return answer({ ok: false, error: `the request is longer than ${REQUEST_BYTES_MAX} bytes` })
    socket.setTimeout(0)
    ask(text.slice(0, end), handle).then(answer, () => socket.destroy())
  })
}

async function ask(line: string, handle: RequestHandler): Promise<Answer> {
  try {
    return { ok: true, value: await handle(JSON.parse(line)) }
  } catch (error) {
    return { ok: false, error: error instanceof SyntaxError ? 'the request is not JSON' : messageOf(error) }
  }
}

/**
 * Asks the broker behind `path` and waits up to `answerMs`, 0: until it answers or ends. Undefined when none listens there. Rejects with BrokerError 'ADMIN_NOT_ANSWERED' when the answer
 * does not come, and with the broker's own sentence when it refuses.
 */
export async function askBroker(
  path: string,
  request: unknown,
  answerMs: number = ANSWER_MS,
): Promise<{ readonly value: unknown } | undefined> {
  const address = shortAddress(path)
  try {
    const line = await exchange(address.path, `${JSON.stringify(request)}\n`, answerMs)
    if (line === undefined) return undefined
    const answer = JSON.parse(line) as Answer
    if (!answer.ok) throw new BrokerError('ADMIN_REFUSED', answer.error)
    return { value: answer.value }
  } finally {
    address.free()
  }
}

function exchange(path: string, request: string, answerMs: number): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path })
    let text = ''
    const giveUp = (why: string): void => {
      socket.destroy()
      reject(
        new BrokerError(
          'ADMIN_NOT_ANSWERED',
          `the broker did not answer: ${why}; see whether the change was made, then try again`,
        ),
      )
    }
    socket.setEncoding('utf8')
    socket.setTimeout(answerMs, () => giveUp(`nothing came within ${answerMs / 1000} s`))
    socket.on('connect', () => socket.write(request))
    socket.on('error', (error) => {
      const code = systemCode(error)
      if (code === 'ENOENT' || code === 'ECONNREFUSED') resolve(undefined)
      else giveUp(messageOf(error))
    })
    socket.on('data', (chunk: string) => {
      text += chunk
      if (text.length > ANSWER_BYTES_MAX) giveUp(`its answer is longer than ${ANSWER_BYTES_MAX} bytes`)
    })
    socket.on('end', () => {
      socket.end()
      if (text.endsWith('\n')) resolve(text)
      else giveUp('it closed the connection')
    })
  })
}
