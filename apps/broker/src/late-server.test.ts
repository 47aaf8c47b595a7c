import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'

import { LateServer, type LateServerOptions, type TakeSocket } from './late-server.ts'

/** Sends back what it gets. */
const echo: TakeSocket = (socket) => socket.pipe(socket)

function options(given: Partial<LateServerOptions> = {}): LateServerOptions {
  return { make: () => Promise.resolve(echo), onFailed: () => {}, connectionsMax: 10, ...given }
}

async function open(given: Partial<LateServerOptions> = {}): Promise<LateServer> {
  const server = await LateServer.at('127.0.0.1', 0, options(given))
  onTestFinished(() => server.close())
  return server
}

function say({ bound }: LateServer, words: string): Socket {
  const socket = connect(bound.port, bound.host)
  socket.end(words)
  return socket
}

test('what comes before the server is made waits for it', async () => {
  const made = Promise.withResolvers<TakeSocket>()
  const server = await open({ make: () => made.promise })
  const answer = text(say(server, 'hello'))
  made.resolve(echo)
  expect(await answer).toBe('hello')
})

test('the server is made once, for the first connection', async () => {
  let count = 0
  const server = await open({
    make: () => {
      count++
      return Promise.resolve(echo)
    },
  })
  expect(count).toBe(0)
  expect(await Promise.all([text(say(server, 'a')), text(say(server, 'b'))])).toEqual(['a', 'b'])
  expect(count).toBe(1)
})

test('a server that cannot be made is told, and tried again by the next connection', async () => {
  const errors: unknown[] = []
  let isBroken = true
  const make = (): Promise<TakeSocket> => (isBroken ? Promise.reject(new Error('no memory')) : Promise.resolve(echo))
  const server = await open({ make, onFailed: (error) => errors.push(error) })
  expect(await text(say(server, 'a'))).toBe('')
  expect(errors).toEqual([new Error('no memory')])
  isBroken = false
  expect(await text(say(server, 'b'))).toBe('b')
})

test('a port that is taken is refused with what to set', async () => {
  const { bound } = await open()
  await expect(LateServer.at(bound.host, bound.port, options())).rejects.toThrow(
    `the console cannot listen on 127.0.0.1:${bound.port}: the port is in use; stop the other program or set console.port`,
  )
})

test('closing ends open connections', async () => {
  const server = await LateServer.at('127.0.0.1', 0, options())
  const socket = connect(server.bound.port, server.bound.host)
  await new Promise((resolve) => socket.once('connect', resolve))
  const ended = new Promise((resolve) => socket.once('close', resolve))
  socket.on('error', () => {}) // it may be a reset
  await server.close()
  await ended
})

test('only its owner may open a socket at a path, and one that was left is replaced', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ternmq-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'admin.sock')
  writeFileSync(path, '')
  const server = await LateServer.atPath(path, options())
  expect(statSync(path).mode & 0o777).toBe(0o600)
  const socket = connect(path)
  socket.end('x')
  expect(await text(socket)).toBe('x')
  await server.close()
  expect(() => statSync(path)).toThrow('ENOENT')
})
