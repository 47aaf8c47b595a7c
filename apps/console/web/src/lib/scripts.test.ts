import { afterEach, beforeEach, expect, test, vi } from 'vitest'

// base.ts reads the address of the page, which a test does not have.
vi.mock('./base.ts', () => ({ addressOf: (path: string) => path }))

import { connectionState, reportAnswer } from './connection-state.ts'
import { loadScript } from './scripts.ts'

beforeEach(reportAnswer)
afterEach(() => void vi.unstubAllGlobals())

/** Whether the broker answers when it is asked, one time after the other; any answer will do. */
function brokerAnswers(...times: readonly boolean[]): void {
  const left = [...times]
  vi.stubGlobal('fetch', () =>
    left.shift() === true
      ? Promise.resolve(new Response('{}', { status: 401 }))
      : Promise.reject(new TypeError('away')),
  )
}

/** A script that does not come so many times. */
function comesAfter(failures: number): () => Promise<string> {
  let left = failures
  return () => (left-- > 0 ? Promise.reject(new Error('not there')) : Promise.resolve('script'))
}

test('a script that does not come while the broker is away comes once it answers', async () => {
  brokerAnswers(false)
  const loaded = loadScript(comesAfter(1))
  await expect.poll(() => connectionState().lost).toBe(true)
  reportAnswer()
  expect(await loaded).toBe('script')
})

test('a broker that answers again by the time it is asked gives the script all the same', async () => {
  brokerAnswers(true)
  expect(await loadScript(comesAfter(1))).toBe('script')
})

test('a script that is not there although the broker answers is given up', async () => {
  brokerAnswers(true)
  await expect(loadScript(comesAfter(Infinity))).rejects.toThrow('not there')
})
