/** Reading ahead: batches, what is asked for when, and what happens when the world has changed before the bytes are there. */
import { describe, expect, test } from 'vitest'
import { matchWith, messageOf } from '../../test/support.ts'
import type { HostLog } from '../log/host-log.ts'
import type { Message } from '../message/message.ts'
import { Delivery } from './delivery.ts'
import { WaitingLine } from './line.ts'
import { Staging, STAGE_BYTES_MAX, STAGE_MESSAGES_MAX, type StagingHost } from './staging.ts'

interface Setup {
  readonly line: WaitingLine
  readonly staging: Staging
  /** Lsns of each read, and how to answer the oldest that is open. */
  readonly reads: (readonly number[])[]
  answer(messages?: readonly (Message | undefined)[] | 'ended'): Promise<void>
  /** Positions whose bytes came, and whether they were lost. */
  readonly staged: (readonly [position: number, isLost: boolean])[]
  readonly done: number[]
  /** What `beforeStaging` was told. */
  readonly noted: number[]
  note: Promise<void> | undefined
}

function setUp(count: number, bytes = 10): Setup {
  const line = new WaitingLine()
  for (let lsn = 1; lsn <= count; lsn++) line.push(lsn, bytes, 0, undefined, false)
  const open: ((messages: (Message | undefined)[] | undefined) => void)[] = []
  const reads: (readonly number[])[] = []
  const log = {
    readMessages: (lsns: readonly number[]) => {
      reads.push(lsns)
      return new Promise((resolve) => open.push(resolve))
    },
  } as unknown as HostLog
  const host: StagingHost = {
    stageBytesMax: STAGE_BYTES_MAX,
    beforeStaging: (lastLsn) => {
      setup.noted.push(lastLsn)
      return setup.note
    },
    onStaged: (_line, position, message) => {
      setup.staged.push([position, message === undefined])
      if (message !== undefined) line.setEntry(position, new Delivery(message, matchWith(1), 1, false))
    },
    onStagingDone: () => void setup.done.push(setup.staged.length),
  }
  const setup: Setup = {
    line,
    staging: new Staging(log, host),
    reads,
    staged: [],
    done: [],
    noted: [],
    note: undefined,
    async answer(messages) {
      const lsns = reads[reads.length - open.length]!
      open.shift()!(messages === 'ended' ? undefined : [...(messages ?? lsns.map(() => messageOf('t', 'x')))])
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
  return setup
}

test('one read at a time, as many as a batch has, and then the host hears of each and of the end', async () => {
  const { staging, line, reads, answer, staged, done, noted } = setUp(STAGE_MESSAGES_MAX * 2)
  staging.stage(line, 1)
  staging.stage(line, 1)
  expect(reads.map((lsns) => [lsns[0], lsns.length])).toEqual([[1, STAGE_MESSAGES_MAX]])
  await answer()
  expect([staged.length, done, noted]).toEqual([STAGE_MESSAGES_MAX, [STAGE_MESSAGES_MAX], [STAGE_MESSAGES_MAX]])
})

test('a batch ends with its bytes, but has one message at least', () => {
  const { staging, line, reads } = setUp(3, STAGE_BYTES_MAX + 1)
  staging.stage(line, 1)
  expect(reads).toEqual([[1]])
})

test('what is in memory, or waits no more, is not read', () => {
  const { staging, line, reads } = setUp(5)
  line.setEntry(2, new Delivery(messageOf('t', 'x'), matchWith(1), 1, false))
  line.take(3)
  staging.stage(line, 1)
  expect(reads).toEqual([[1, 4, 5]])
})

test('what was taken or came into memory while it was read is left alone, what the store lost is told', async () => {
  const { staging, line, answer, staged } = setUp(4)
  staging.stage(line, 1)
  line.take(1)
  line.setEntry(2, new Delivery(messageOf('t', 'own'), matchWith(1), 1, false))
  await answer([messageOf('t', '1'), messageOf('t', '2'), undefined, messageOf('t', '4')])
  expect(staged).toEqual([
    [3, true],
    [4, false],
  ])
})

test('nothing is handed to the host before it allows', async () => {
  const setup = setUp(2)
  let allow = (): void => {}
  setup.note = new Promise((resolve) => (allow = resolve))
  setup.staging.stage(setup.line, 1)
  await setup.answer()
  expect(setup.staged).toEqual([])
  allow()
  await new Promise((resolve) => setImmediate(resolve))
  expect(setup.staged).toHaveLength(2)
})

test('a log that has ended stages nothing, and says nothing', async () => {
  const { staging, line, answer, staged, done } = setUp(2)
  staging.stage(line, 1)
  await answer('ended')
  expect([staged, done]).toEqual([[], []])
})

describe('ahead of dispatch', () => {
  test('the next batch is read when half of this one has been handed out', async () => {
    const { staging, line, reads, answer } = setUp(STAGE_MESSAGES_MAX * 2)
    staging.stage(line, 1)
    await answer()
    const half = STAGE_MESSAGES_MAX / 2
    for (let position = 1; position <= half; position++) {
      staging.onTaken(line, position)
      line.take(position)
    }
    expect(reads).toHaveLength(1)
    staging.onTaken(line, half + 1)
    expect(reads.map((lsns) => lsns[0])).toEqual([1, STAGE_MESSAGES_MAX + 1])
  })

  test('the last batch asks for nothing more, nor does another line', async () => {
    const { staging, line, reads, answer } = setUp(10)
    staging.stage(line, 1)
    await answer()
    staging.onTaken(new WaitingLine(), 9)
    for (let position = 1; position <= 10; position++) staging.onTaken(line, position)
    expect(reads).toHaveLength(1)
  })
})
