import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'

import { Doors, type DoorsOptions } from './doors.ts'
import { DEFAULT_SETTINGS } from './options.ts'
import { realClock } from './test/fake-broker.ts'

interface Told {
  readonly doors: Doors
  readonly errors: unknown[]
}

function made(load: DoorsOptions['load']): Told {
  const errors: unknown[] = []
  const doors = new Doors({
    clock: realClock,
    settings: DEFAULT_SETTINGS,
    tls: undefined,
    load,
    onFailed: (error) => errors.push(error),
  })
  onTestFinished(() => doors.close())
  return { doors, errors }
}

function call(to: { readonly port: number } | { readonly socketPath: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', ...to, path: '/', agent: false }, (response) => resolve(text(response))).on(
      'error',
      reject,
    )
  })
}

test('what answers is made once, for the first call, and calls that come meanwhile wait for it', async () => {
  let count = 0
  const ready = Promise.withResolvers<void>()
  const { doors } = made(async () => {
    count++
    await ready.promise
    return (_, response) => response.end('here')
  })
  const { port } = await doors.listen({ host: '127.0.0.1', port: 0 })
  expect(count).toBe(0)
  const answers = [call({ port }), call({ port })]
  ready.resolve()
  expect(await Promise.all(answers)).toEqual(['here', 'here'])
  expect(count).toBe(1)
})

test('what cannot be made is told, to whoever called too, and the next call tries again', async () => {
  let isBroken = true
  const { doors, errors } = made(() =>
    isBroken ? Promise.reject(new Error('no memory')) : Promise.resolve((_, response) => response.end('here')),
  )
  const { port } = await doors.listen({ host: '127.0.0.1', port: 0 })
  expect(JSON.parse(await call({ port }))).toMatchObject({ code: 'BROKEN', status: 500 })
  expect(errors).toEqual([new Error('no memory')])
  isBroken = false
  expect(await call({ port })).toBe('here')
})

test('only its owner may open the socket, one that was left is replaced, and calls over it are known', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ternmq-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const socketPath = join(folder, 'admin.sock')
  writeFileSync(socketPath, '')
  const { doors } = made(() =>
    Promise.resolve((request, response) => response.end(String(doors.isLocal(request.socket)))),
  )
  await doors.listenSocket(socketPath)
  const { port } = await doors.listen({ host: '127.0.0.1', port: 0 })
  expect(statSync(socketPath).mode & 0o777).toBe(0o600)
  expect(await call({ socketPath })).toBe('true')
  expect(await call({ port })).toBe('false')
})
