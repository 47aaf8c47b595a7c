/** What a broker does whose disk fails, or whose data directory is not safe to run on. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'mqtt'
import { describe, expect, onTestFinished, test } from 'vitest'

import { client, launch, newFolder, start, until } from './support.ts'

/** From SIGUSR2 on every sync of the process fails, be it a call of its own or part of a write, as on a disk that has lost a page. */
const FAILING_SYNC = `
import fs from 'node:fs'
const { open, write, writev } = fs
const synced = new Set()
fs.open = (path, flags, ...rest) => {
  const done = rest.pop()
  open(path, flags, ...rest, (error, fd) => {
    if (typeof flags === 'number' && (flags & fs.constants.O_DSYNC) !== 0) synced.add(fd)
    else synced.delete(fd)
    done(error, fd)
  })
}
const fail = (done) => setImmediate(done, Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' }))
process.on('SIGUSR2', () => {
  fs.fdatasync = (fd, done) => fail(done)
  fs.write = (fd, ...rest) => (synced.has(fd) ? fail(rest.pop()) : write(fd, ...rest))
  fs.writev = (fd, ...rest) => (synced.has(fd) ? fail(rest.pop()) : writev(fd, ...rest))
  console.log('syncs fail from now on')
})`

/** DISCONNECT reason code: server shutting down. [MQTT5 §3.14.2.1] */
const SERVER_SHUTTING_DOWN = 0x8b

const KEPT = { clientId: 'kept', clean: false, properties: { sessionExpiryInterval: 3_600 } }

describe('a sync that fails', () => {
  test('ends the broker with 3: it says why, acknowledges nothing more, and keeps what it acknowledged', async () => {
    const broker = await start({ nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(FAILING_SYNC)}`] })
    const url = `mqtt://127.0.0.1:${broker.port('mqtt')}`
    const leaving = await client(url, KEPT)
    await leaving.subscribeAsync('a', { qos: 1 })
    await leaving.endAsync()
    const publisher = await client(url)
    await publisher.publishAsync('a', 'before', { qos: 1 })
    const reasons: (number | undefined)[] = []
    publisher.on('disconnect', ({ reasonCode }) => reasons.push(reasonCode))

    process.kill(broker.ready.pid, 'SIGUSR2')
    await broker.program.untilLine('syncs fail from now on')
    let isAcknowledged = false
    publisher.publishAsync('a', 'after', { qos: 1 }).then(
      () => (isAcknowledged = true),
      () => undefined, // the connection ends first
    )
    expect(await broker.program.ended()).toEqual({ code: 3, signal: null })
    expect(isAcknowledged).toBe(false)
    await until('the client to hear of it', () => reasons.length === 1)
    expect(reasons).toEqual([SERVER_SHUTTING_DOWN])
    const log = broker.program.lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as object)
    const fatal = log.filter((line) => 'level' in line && line.level === 'fatal')
    expect(fatal).toEqual([
      expect.objectContaining({
        code: 'STORE_FAILED',
        msg: expect.stringMatching(
          /^the store has failed: .*EIO.*nothing is acknowledged any more.*start again$/,
        ) as unknown,
      }),
    ])

    const again = await start({ dataDir: broker.dataDir })
    const received: string[] = []
    const returning = connect(`mqtt://127.0.0.1:${again.port('mqtt')}`, { ...KEPT, protocolVersion: 5 })
    onTestFinished(() => returning.endAsync(true))
    returning.on('message', (_, payload) => received.push(payload.toString()))
    await until('the message', () => received.length > 0)
    expect(received[0]).toBe('before')
  })
})

describe('a data directory whose journal is', () => {
  test.each([
    ['somebody else’s', 'thesis.txt', 'chapter 1', /thesis\.txt.*not the store of a broker.*another directory/],
    ['from a newer version', 'ternmq-journal', 'ternmq journal\nformat 99\nstore 0000000000000001\n', /99.*newer/i],
    ['damaged where it names itself', 'ternmq-journal', 'ternmq journ', /ternmq-journal does not say what it should/],
  ])(
    '%s stops the start, with what was found and what to do, and stays as it is',
    async (_, name, content, sentence) => {
      const dataDir = newFolder()
      const folder = join(dataDir, 'journal')
      mkdirSync(folder)
      writeFileSync(join(folder, name), content)
      const program = launch({ dataDir })
      expect(await program.ended()).toEqual({ code: 1, signal: null })
      expect(program.errors).toHaveLength(1)
      expect(program.errors[0]).toMatch(sentence)
      expect(program.errors[0]).toContain(`cannot use the journal in ${folder}: `)
      expect(readdirSync(folder).filter((file) => file !== 'lock')).toEqual([name])
      expect(readFileSync(join(folder, name), 'utf8')).toBe(content)
      expect(existsSync(join(dataDir, 'admin.sock'))).toBe(false)
    },
  )
})

test('engine and durability are in the line that says the broker is ready', async () => {
  const readyLine = async (...settings: string[]): Promise<object> => {
    const broker = await start({ settings })
    return JSON.parse(await broker.program.untilLine('is ready')) as object
  }
  expect(await readyLine()).toMatchObject({ engine: 'journal', durability: 'fsync-local' })
  expect(await readyLine('queues.durability=page-cache')).toMatchObject({ engine: 'journal', durability: 'page-cache' })
  expect(await readyLine('store.engine=memory')).toMatchObject({ engine: 'memory', durability: 'memory' })
})
