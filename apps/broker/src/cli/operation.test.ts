import { cancelOperation, getOperation, type OperationItem } from '@ternmq/api'
import type { ApiClient } from '@ternmq/api/client'
import { expect, test } from 'vitest'
import type { ConsoleIo } from '../process/console-io.ts'
import { type Followed, follow, outcomeText } from './operation.ts'

const MOVE: OperationItem = {
  id: 'op1',
  action: 'move',
  queue: 'orders',
  target: 'other',
  user: 'ann',
  state: 'running',
  total: 10,
  doneCount: 0,
  skippedCount: 0,
  refusedCount: 0,
  startedAtMs: 1,
  canResume: false,
}

/** A broker whose operation goes on with every question. */
class Scene {
  stdout = ''
  readonly asked: string[] = []
  readonly #answers: OperationItem[]

  constructor(...answers: ReadonlyArray<Partial<OperationItem>>) {
    this.#answers = answers.map((answer) => ({ ...MOVE, ...answer }))
  }

  /** `onAsked` is told before each answer. */
  followed(onAsked: () => void = () => {}): Followed {
    const io = {
      stdout: { write: (text: string) => void (this.stdout += text) },
      stderr: { write: () => {} },
    } as unknown as ConsoleIo
    const call = (route: { readonly id: string }): Promise<OperationItem> => {
      this.asked.push(route.id)
      onAsked()
      return Promise.resolve(this.#answers.shift()!)
    }
    return { io, client: { call } as unknown as ApiClient, values: {} }
  }
}

test('an operation is asked about until it has ended, and its outcome is told', async () => {
  const scene = new Scene({ doneCount: 5 }, { doneCount: 10, state: 'done' })
  expect(await follow(MOVE, scene.followed())).toBe(0)
  expect(scene.asked).toEqual([getOperation.id, getOperation.id])
  expect(scene.stdout).toBe('moved 10 messages from orders to other\n')
})

test('Ctrl-C cancels it in the broker, and says how far it got; the signal means what it meant before', async () => {
  const before = process.listenerCount('SIGINT')
  const scene = new Scene({ doneCount: 5 }, { doneCount: 6, state: 'cancelled', canResume: true })
  const interrupt = (): void => void process.emit('SIGINT')
  let isFirst = true
  const code = await follow(
    MOVE,
    scene.followed(() => {
      if (isFirst) interrupt()
      isFirst = false
    }),
  )
  expect(code).toBe(1)
  expect(scene.asked).toEqual([getOperation.id, cancelOperation.id])
  expect(scene.stdout).toBe(
    'moved 6 of 10 messages from orders to other, cancelled; `ternmq operations resume op1` goes on\n',
  )
  expect(process.listenerCount('SIGINT')).toBe(before)
})

test.each<[Partial<OperationItem>, string]>([
  [{ state: 'done', doneCount: 1, total: 1 }, 'moved 1 message from orders to other'],
  [
    { state: 'done', doneCount: 8, refusedCount: 2, reason: 'it is full' },
    'moved 8 of 10 messages from orders to other, 2 refused: it is full',
  ],
  [
    { action: 'delete', target: undefined, state: 'failed', doneCount: 3, total: undefined, reason: 'a\u001Bb' },
    'deleted 3 messages in orders, failed: a\\u{1b}b',
  ],
  [
    {
      action: 'retry',
      target: undefined,
      state: 'done',
      doneCount: 9,
      skippedCount: 1,
      reason: 'it came from nowhere',
    },
    'retried 9 of 10 messages from orders, 1 left where they are: it came from nowhere',
  ],
  [
    { action: 'delete', target: undefined, state: 'done', doneCount: 0, total: 1, missingIds: ['4\u001B.9'] },
    'deleted 0 of 1 message in orders, not there: 4\\u{1b}.9',
  ],
  [
    { state: 'done', doneCount: 3, missingIds: ['1', '2', '3', '4', '5', '6', '7'] },
    'moved 3 of 10 messages from orders to other, not there: 1 2 3 4 5 and 2 more',
  ],
  [
    { state: 'interrupted', doneCount: 3, reason: 'the broker ended in the middle of it', canResume: true },
    'moved at least 3 of 10 messages from orders to other, interrupted: the broker ended in the middle of it; ' +
      '`ternmq operations resume op1` goes on',
  ],
  [
    {
      action: 'retry',
      target: undefined,
      state: 'stopped',
      doneCount: 8,
      refusedCount: 2,
      reason: "queue 'orders' is full: it has 8 messages, its messagesMax is 8",
      canResume: true,
    },
    "retried 8 of 10 messages from orders, 2 refused, stopped: queue 'orders' is full: it has 8 messages, its messagesMax is 8; " +
      '`ternmq operations resume op1` goes on',
  ],
])('%j is told as %s', (item, text) => expect(outcomeText({ ...MOVE, ...item })).toBe(text))

test('who was refused something ends with 1', async () => {
  const scene = new Scene({ doneCount: 8, refusedCount: 2, state: 'done' })
  expect(await follow(MOVE, scene.followed())).toBe(1)
})

test.each<[string, Partial<OperationItem>, number]>([
  ['one that was not there', { doneCount: 0, total: 1, missingIds: ['9'] }, 1],
  ['one that has gone meanwhile', { doneCount: 1, total: 2, missingIds: [] }, 1],
  ['all that are there', { doneCount: 2, total: 2, missingIds: [] }, 0],
])('whoever named %s ends with the code for it', async (_, answer, code) => {
  expect(await follow(MOVE, new Scene({ ...answer, state: 'done' }).followed())).toBe(code)
})

test('of all that waited some may go another way, and all was done', async () => {
  expect(await follow(MOVE, new Scene({ doneCount: 8, state: 'done' }).followed())).toBe(0)
})
