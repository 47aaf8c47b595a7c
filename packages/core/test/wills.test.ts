/** Wills in the log: published once and only once whatever happens to the broker, and not at all where they are not wanted. */
import { NotAppended } from '@ternmq/store'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WILLS_BATCH_MAX } from '../src/limits.ts'
import type { Session } from '../src/session/session.ts'
import type { OpenSession } from '../src/session/sessions.ts'
import type { Will } from '../src/session/wills.ts'
import { type LifeOptions, Lives, QUEUE } from './lives.ts'
import { messageOf, type MessageOptions, user } from './support.ts'
import { willOf } from './world.ts'

const DAY_MS = 86_400_000
const FULL = new NotAppended('full', 'the disk is full')

function durableWill(text: string, delayMs = 0, options: MessageOptions = {}): Will {
  return willOf('will', text, delayMs, { durable: true, ...options })
}

/** A client of a session that stays, with its CONNECT in the log. */
async function join(lives: Lives, clientId: string, will: Will | undefined, options: Partial<OpenSession> = {}): Promise<Session> {
  const session = open(lives, clientId, will, options)
  await lives.quiet()
  return session
}

function open(lives: Lives, clientId: string, will: Will | undefined, options: Partial<OpenSession> = {}): Session {
  const defaults = { principal: user('u'), cleanStart: false, expiryMs: DAY_MS, creditMax: 100, owner: { onEvicted: () => {} } }
  const opened = lives.vhost.sessions.open({ clientId, will, ...defaults, ...options })
  if (!opened.ok) throw new Error(opened.detail.text)
  return opened.value.session
}

/** A kept session that gets every will; nobody is connected to it. */
async function beginWatched(options: LifeOptions = {}): Promise<Lives> {
  const lives = await Lives.begin(options)
  const watcher = await join(lives, 'watcher', undefined)
  const pattern = { vhost: '/', kind: 'topic' as const, levels: ['will'] }
  watcher.bind({ pattern, shareName: undefined, assuranceMax: 1, noLocal: false, retained: 'never', data: {} })
  watcher.disconnect()
  await lives.quiet()
  return lives
}

/** With a log that takes nothing while `refusal` is set. */
async function beginRefusing(): Promise<{ lives: Lives; log: { refusal: NotAppended | undefined } }> {
  const log: { refusal: NotAppended | undefined } = { refusal: undefined }
  return { lives: await beginWatched({ refusal: () => log.refusal }), log }
}

/** How many wills have come, and that the log says of wills and sessions what is true. */
async function wills(lives: Lives): Promise<number> {
  await lives.quiet()
  const [captured, folded] = [lives.captured(), await lives.folded()]
  expect(captured.wills).toEqual(folded.wills)
  expect([...captured.refs]).toEqual([...folded.refs])
  return lives.vhost.sessions.find('watcher')!.queue.waitingCount
}

async function restart(lives: Lives): Promise<void> {
  await lives.restart()
  await lives.pass(1)
}

test('a broker that ends publishes the wills of its clients when it is back, once', async () => {
  const lives = await beginWatched()
  await join(lives, 'c', durableWill('gone'))
  expect(await wills(lives)).toBe(0)
  await restart(lives)
  expect(await wills(lives)).toBe(1)
  expect((await lives.folded()).wills.size).toBe(0)
  await restart(lives)
  expect(await wills(lives)).toBe(1)
})

test('when all clients were lost at once, all of their wills come', async () => {
  const lives = await beginWatched()
  const count = WILLS_BATCH_MAX * 2 + 1
  for (let index = 0; index < count; index++) open(lives, `c${index}`, durableWill('gone'))
  await lives.quiet()
  await lives.restart()
  await lives.pass(3, 1)
  expect(await wills(lives)).toBe(count)
})

test('a will that has been published, or dropped by a goodbye, is not there after a restart, nor is its content', async () => {
  const lives = await beginWatched()
  const before = lives.engine.usedBytes
  const [lost, polite] = [await join(lives, 'lost', durableWill('x'.repeat(10_000))), await join(lives, 'polite', durableWill('y'.repeat(10_000)))]
  expect(lives.engine.usedBytes).toBeGreaterThan(before + 20_000)
  lost.disconnect()
  polite.dropWill()
  polite.disconnect()
  expect(await wills(lives)).toBe(1)
  expect(lives.engine.usedBytes).toBeLessThan(before + 12_000) // the published one waits for the watcher
  await restart(lives)
  expect([await wills(lives), (await lives.folded()).wills.size]).toEqual([1, 0])
})

test('a client that was connected has its delay from the restart on, and takes its will back within it [MQTT5-3.1.3-9]', async () => {
  const lives = await beginWatched()
  await join(lives, 'stays away', durableWill('a', 10_000))
  await join(lives, 'comes back', durableWill('b', 10_000))
  await restart(lives)
  await lives.pass(9_000)
  const back = await join(lives, 'comes back', undefined)
  expect(await wills(lives)).toBe(0)
  await lives.pass(2_000)
  expect(await wills(lives)).toBe(1)
  back.disconnect()
  await restart(lives)
  await lives.pass(20_000)
  expect(await wills(lives)).toBe(1)
})

test('a delay that had begun goes on, also while the broker is down', async () => {
  const lives = await beginWatched()
  ;(await join(lives, 'a', durableWill('a', 10_000))).disconnect()
  ;(await join(lives, 'b', durableWill('b', 20_000))).disconnect()
  await lives.pass(4_000)
  await lives.stop()
  await lives.pass(5_000)
  await restart(lives)
  expect(await wills(lives)).toBe(0)
  await lives.pass(1_000)
  expect(await wills(lives)).toBe(1)
  await lives.stop()
  await lives.pass(60_000)
  await restart(lives)
  expect(await wills(lives)).toBe(2)
})

test('restarts do not put a will off for ever', async () => {
  const lives = await beginWatched()
  await join(lives, 'c', durableWill('gone', 10_000))
  for (let count = 0; count < 5; count++) {
    await restart(lives)
    await lives.pass(2_500)
  }
  expect(await wills(lives)).toBe(1)
})

test('after a restart it does not wait longer than its session lasts [MQTT5-3.1.2-8]', async () => {
  const lives = await beginWatched()
  await join(lives, 'c', durableWill('gone', 60_000), { expiryMs: 5_000 })
  await restart(lives)
  await lives.pass(4_000)
  expect(await wills(lives)).toBe(0)
  await lives.pass(2_000)
  expect([await wills(lives), lives.vhost.sessions.find('c')]).toEqual([1, undefined])
})

test('a later connection has its own will, and none where it has brought none', async () => {
  const lives = await beginWatched()
  await join(lives, 'c', durableWill('first', 10_000))
  await join(lives, 'c', durableWill('second', 0, { retain: true }))
  await join(lives, 'd', durableWill('dropped', 10_000))
  await join(lives, 'd', undefined)
  await restart(lives)
  await lives.pass(20_000)
  expect(await wills(lives)).toBe(1)
  expect(Buffer.from(lives.vhost.retained.get(['will'])!.body).toString()).toBe('second')
})

test('a retained will is the last message of its topic after the restart, and has its publisher', async () => {
  const lives = await beginWatched()
  await join(lives, 'c', durableWill('gone', 0, { retain: true }))
  await restart(lives)
  expect(lives.vhost.retained.get(['will'])).toMatchObject({ publisher: 'c', retain: true })
  await restart(lives)
  expect(Buffer.from(lives.vhost.retained.get(['will'])!.body).toString()).toBe('gone')
  expect(await wills(lives)).toBe(1)
})

test('its time to live counts from the moment it is published, after a restart too', async () => {
  const lives = await beginWatched()
  const will: Will = { delayMs: 10_000, makeMessage: (nowMs) => messageOf('will', 'x', { durable: true, retain: true, expiresAtMs: nowMs + 5_000 }) }
  await join(lives, 'c', will)
  await lives.pass(60_000)
  await restart(lives)
  const startedAtMs = lives.env.clock.wallMs()
  await lives.pass(10_000)
  const { expiresAtMs } = lives.vhost.retained.get(['will'])!
  expect(expiresAtMs - startedAtMs).toBeGreaterThanOrEqual(14_990)
  expect(expiresAtMs - startedAtMs).toBeLessThanOrEqual(15_000)
})

test('one that may not be published any more is refused and leaves the log', async () => {
  const lives = await beginWatched()
  const c = await join(lives, 'c', willOf('$SYS/x', 'gone', 0))
  expect((await lives.folded()).wills.size).toBe(1)
  c.disconnect()
  expect(await wills(lives)).toBe(0)
  expect([lives.vhost.counters.refused, (await lives.folded()).wills.size]).toEqual([1, 0])
})

test('one that waits for room in a queue is there after a restart, its session ended or not', async () => {
  const lives = await Lives.begin()
  const reader = lives.client('reader')
  const defined = lives.vhost.destinations.define({ name: 'q', settings: { messagesMax: 1, whenFull: 'block' } })
  if (!defined.ok) throw new Error(defined.detail.text)
  reader.publish(`${QUEUE}q`, 'first')
  const session = await join(lives, 'c', willOf(`${QUEUE}q`, 'will', 0, { durable: true }))
  session.end()
  await lives.quiet()
  expect((await lives.folded()).wills.size).toBe(1)
  expect(lives.captured().wills).toEqual((await lives.folded()).wills)
  await restart(lives)
  const again = lives.client('reader')
  again.consume('q')
  await lives.quiet()
  again.acceptAll()
  await lives.pass(1_000)
  expect(again.texts).toEqual(['first', 'will'])
  expect((await lives.folded()).wills.size).toBe(0)
})

test('a full log lets the client in, says that its will is in memory only, and publishes it in this life', async () => {
  const { lives, log } = await beginRefusing()
  await join(lives, 'c', undefined)
  log.refusal = FULL
  const session = await join(lives, 'c', durableWill('gone'))
  log.refusal = undefined
  expect(lives.events).toEqual(["the will of client 'c' is in memory only, and lost should the broker end before it is published: the disk is full"])
  expect(await wills(lives)).toBe(0)
  session.disconnect()
  expect(await wills(lives)).toBe(1)
})

test('a will for whose publishing the log has no room is published when it has some', async () => {
  const { lives, log } = await beginRefusing()
  const session = await join(lives, 'c', durableWill('gone'))
  log.refusal = FULL
  session.disconnect()
  await lives.quiet()
  log.refusal = undefined
  expect((await lives.folded()).wills.size).toBe(1)
  await lives.pass(2_000)
  expect([await wills(lives), (await lives.folded()).wills.size]).toEqual([1, 0])
})

test('a goodbye for which the log has no room is remembered when it has some, whatever will came meanwhile', async () => {
  const { lives, log } = await beginRefusing()
  const session = await join(lives, 'c', durableWill('first'))
  log.refusal = FULL
  session.dropWill()
  session.disconnect()
  await lives.quiet()
  log.refusal = undefined
  await join(lives, 'c', durableWill('second'))
  await lives.pass(2_000)
  await restart(lives)
  expect(await wills(lives)).toBe(1)
})

test('a session that ends with its connection leaves nothing of its will in the log', async () => {
  const lives = await beginWatched()
  const before = lives.engine.usedBytes
  await join(lives, 'c', durableWill('x'.repeat(10_000)), { expiryMs: 0 })
  expect(lives.engine.usedBytes).toBe(before)
  await restart(lives)
  expect(await wills(lives)).toBe(0)
})

test('a broker that closes in order keeps the wills that wait', async () => {
  let asked = 0
  const lives = await beginWatched({ refusal: () => void asked++ })
  ;(await join(lives, 'c', durableWill('gone', 10_000))).disconnect()
  await lives.quiet()
  const closing = lives.vhost.close()
  await lives.quiet()
  await closing
  const before = asked
  await lives.pass(60_000)
  expect(asked).toBe(before) // nothing has been tried on the log meanwhile
  await restart(lives)
  expect(await wills(lives)).toBe(1)
})

/** Steps of one client after another; a crash in the middle of a turn loses what was not committed. */
const step = fc.record({
  what: fc.constantFrom('vanish', 'goodbye', 'crash', 'takeover', 'end'),
  delayMs: fc.constantFrom(0, 500),
  turns: fc.integer({ min: 0, max: 4 }),
})

test('whatever happens and whenever the broker ends, each will comes once or, where it was taken back, not at all', async () => {
  const steps = fc.array(step, { minLength: 1, maxLength: 12 })
  const run = async (all: readonly { what: string; delayMs: number; turns: number }[], keepsReleased: boolean): Promise<void> => {
    const lives = await beginWatched({ keepsReleased })
    let expected = 0
    for (const [index, { what, delayMs, turns }] of all.entries()) {
      const session = await join(lives, `c${index}`, durableWill(`${index}`, delayMs))
      if (what === 'goodbye') session.dropWill()
      if (what === 'end') session.end()
      else if (what !== 'crash' && what !== 'takeover') session.disconnect()
      if (what === 'takeover') open(lives, `c${index}`, undefined)
      for (let turn = 0; turn < turns; turn++) lives.env.clock.turn()
      // Which of these had reached the log decides; the client that takes over does not hear before that.
      const isUnsure = turns === 0 && ((what === 'takeover' && delayMs > 0) || what === 'goodbye')
      if (isUnsure) await lives.quiet()
      if (what !== 'goodbye' && !(what === 'takeover' && delayMs > 0)) expected++
      await lives.restart()
    }
    await lives.pass(2_000, 500)
    expect(await wills(lives)).toBe(expected)
    expect((await lives.folded()).wills.size).toBe(0)
  }
  await fc.assert(fc.asyncProperty(steps, fc.boolean(), run), { numRuns: 60 })
}, 60_000)
