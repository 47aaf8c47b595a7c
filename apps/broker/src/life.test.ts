import { expect, onTestFinished, test } from 'vitest'

import { Life } from './life.ts'
import type { Log } from './reports/log.ts'
import { UndoStack } from './undo-stack.ts'

function lifeWith(...steps: (() => void | Promise<void>)[]): { life: Life; fatal: string[] } {
  const fatal: string[] = []
  const nothing = (): void => {}
  const log: Log = {
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: nothing,
    fatal: (_, text) => fatal.push(text),
  }
  const undo = new UndoStack()
  for (const step of steps) undo.add(step)
  return { life: new Life(log, undo), fatal }
}

test('a stop that goes well resolves `ended`, and a second one does nothing more', async () => {
  let stops = 0
  const { life } = lifeWith(() => void stops++)
  await Promise.all([life.stop(), life.stop()])
  await life.ended
  expect(stops).toBe(1)
})

test('a failure is told once, stops, and rejects `ended` when everything has stopped', async () => {
  const order: string[] = []
  const { life, fatal } = lifeWith(async () => {
    await new Promise(setImmediate)
    order.push('stopped')
  })
  const cause = new Error('EIO')
  life.fail(cause)
  life.fail(new Error('the same again'))
  const error = await life.ended.catch((failure: unknown) => {
    order.push('ended')
    return failure
  })
  expect(order).toEqual(['stopped', 'ended'])
  expect(error).toMatchObject({ code: 'STORE_FAILED', cause })
  expect(fatal).toEqual([expect.stringContaining('the store has failed: EIO; nothing is acknowledged any more')])
  expect(() => life.throwIfFailed()).toThrow('the store has failed')
})

test('what cannot be stopped after a failure does not hide it', async () => {
  const { life } = lifeWith(() => Promise.reject(new Error('the engine cannot be closed')))
  life.fail(new Error('EIO'))
  await expect(life.ended).rejects.toMatchObject({ code: 'STORE_FAILED' })
  await expect(life.stop()).rejects.toThrow('the engine cannot be closed')
})

test('a failure that nobody looks at is no unhandled rejection', async () => {
  const unhandled: unknown[] = []
  const note = (error: unknown): unknown => unhandled.push(error)
  process.on('unhandledRejection', note)
  onTestFinished(() => void process.off('unhandledRejection', note))
  const { life } = lifeWith(() => Promise.reject(new Error('the engine cannot be closed')))
  life.fail(new Error('EIO'))
  await new Promise(setImmediate)
  expect(unhandled).toEqual([])
})
