import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { type AdminSocket, askBroker, openAdminSocket, type RequestHandler } from './admin-socket.ts'

let folder = ''
let path = ''
let admin: AdminSocket | undefined = undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ternmq-'))
  path = join(folder, 'admin.sock')
})

afterEach(async () => {
  await admin?.close()
  admin = undefined
  rmSync(folder, { recursive: true })
})

const echo: RequestHandler = async (request) => ({ echoed: request })

async function open(handle: RequestHandler = echo): Promise<void> {
  admin = await openAdminSocket(path, handle)
}

test('a request is answered', async () => {
  await open()
  expect(await askBroker(path, { op: 'x', text: 'ü\n' })).toEqual({ value: { echoed: { op: 'x', text: 'ü\n' } } })
})

test('only its owner may open the socket', async () => {
  await open()
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('a refusal comes as the sentence of the broker', async () => {
  await open(() => Promise.reject(new Error('no such user')))
  await expect(askBroker(path, {})).rejects.toMatchObject({ code: 'ADMIN_REFUSED', message: 'no such user' })
})

test('where no broker listens nobody is asked: no socket, or one that a dead broker left', async () => {
  expect(await askBroker(path, {})).toBeUndefined()
  writeFileSync(path, '')
  expect(await askBroker(path, {})).toBeUndefined()
})

test('the socket of a broker that died is replaced', async () => {
  writeFileSync(path, '')
  await open()
  expect(await askBroker(path, 1)).toEqual({ value: { echoed: 1 } })
})

test('a broker that stops without an answer is told apart from a refusal', async () => {
  const asked = Promise.withResolvers<void>()
  await open(() => {
    asked.resolve()
    return new Promise(() => {})
  })
  const answer = askBroker(path, {})
  answer.catch(() => {}) // looked at below
  await asked.promise
  await admin?.close()
  await expect(answer).rejects.toMatchObject({ code: 'ADMIN_NOT_ANSWERED' })
})

test('a directory with a path too long for a socket address works all the same', async () => {
  const deep = join(folder, 'd'.repeat(100), 'e'.repeat(100))
  mkdirSync(deep, { recursive: true })
  path = join(deep, 'admin.sock')
  await open()
  expect(await askBroker(path, 2)).toEqual({ value: { echoed: 2 } })
})

function send(bytes: string): Promise<string> {
  const socket: Socket = connect(path)
  socket.write(bytes)
  return text(socket)
}

test('what is not JSON, and what is too long, is answered with an error', async () => {
  await open()
  expect(await send('hello\n')).toBe('{"ok":false,"error":"the request is not JSON"}\n')
  expect(await send('x'.repeat(70_000))).toBe('{"ok":false,"error":"the request is longer than 65536 bytes"}\n')
})
