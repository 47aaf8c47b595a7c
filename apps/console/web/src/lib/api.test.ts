import { getOverview, login } from '@ternmq/api'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

// base.ts reads the address of the page, which a test does not have.
vi.mock('./base.ts', () => ({ addressOf: (path: string) => path }))

import { call, isLoss, LOOK_SILENCE_MAX_MS } from './api.ts'
import { connectionState, reportAnswer } from './connection-state.ts'

beforeEach(() => {
  vi.useFakeTimers()
  reportAnswer()
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** What a browser does: nothing until it is told to give up. */
function neverAnswers(_: string, { signal }: RequestInit): Promise<Response> {
  return new Promise((_resolve, reject) => signal!.addEventListener('abort', () => reject(signal!.reason as Error)))
}

const outcome = (called: Promise<unknown>): Promise<unknown> => called.catch((error: unknown) => error)

test('a look-up without an answer is lost after a while', async () => {
  vi.stubGlobal('fetch', neverAnswers)
  const looked = outcome(call(getOverview))
  await vi.advanceTimersByTimeAsync(LOOK_SILENCE_MAX_MS - 1)
  expect(connectionState().lost).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect([isLoss(await looked), connectionState().lost]).toEqual([true, true])
})

test('a look-up whose answer comes slowly goes on, and one that stops half-way is lost', async () => {
  let body!: ReadableStreamDefaultController<Uint8Array>
  vi.stubGlobal('fetch', (_: string, { signal }: RequestInit) => {
    const stream = new ReadableStream<Uint8Array>({ start: (controller) => void (body = controller) })
    signal!.addEventListener('abort', () => body.error(signal!.reason))
    return Promise.resolve(new Response(stream))
  })
  const looked = outcome(call(getOverview))
  for (const piece of ['{', '"a"', ':']) {
    await vi.advanceTimersByTimeAsync(LOOK_SILENCE_MAX_MS - 1)
    body.enqueue(new TextEncoder().encode(piece))
    await vi.advanceTimersByTimeAsync(0)
  }
  expect(connectionState().lost).toBe(false)
  await vi.advanceTimersByTimeAsync(LOOK_SILENCE_MAX_MS)
  expect([isLoss(await looked), connectionState().lost]).toEqual([true, true])
})

test('a look-up that nobody waits for any more is no loss', async () => {
  vi.stubGlobal('fetch', neverAnswers)
  const leave = new AbortController()
  const looked = outcome(call(getOverview, {}, leave.signal))
  await vi.advanceTimersByTimeAsync(1)
  leave.abort()
  expect([await looked, connectionState().lost]).toEqual([leave.signal.reason, false])
  await vi.advanceTimersByTimeAsync(LOOK_SILENCE_MAX_MS)
  expect(connectionState().lost).toBe(false)
})

test('what changes something is waited for', async () => {
  let answer!: (response: Response) => void
  vi.stubGlobal('fetch', () => new Promise<Response>((resolve) => (answer = resolve)))
  const done = call(login, { body: { user: 'ann', password: 'x' } })
  await vi.advanceTimersByTimeAsync(10 * LOOK_SILENCE_MAX_MS)
  answer(Response.json({ user: 'ann' }))
  expect([await done, connectionState().lost]).toEqual([{ user: 'ann' }, false])
})
