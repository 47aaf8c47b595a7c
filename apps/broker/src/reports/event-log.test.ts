import type { BrokerEvent, EventKind } from '@ternmq/core'
import { VirtualClock } from '@ternmq/testkit'
import { beforeEach, describe, expect, test } from 'vitest'

import { EventLog, LINES_PER_SECOND_MAX } from './event-log.ts'
import type { Log } from './log.ts'

let clock = new VirtualClock()
let lines: string[] = []
let eventLog = new EventLog(recorder(), clock)

beforeEach(() => {
  clock = new VirtualClock()
  lines = []
  eventLog = new EventLog(recorder(), clock)
})

function recorder(): Log {
  const at = (level: string) => (_: object, text: string) => void lines.push(`${level} ${text}`)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), fatal: at('fatal') }
}

function event(kind: EventKind, text: string): BrokerEvent {
  return { id: 1, atMs: 0, connection: 0, kind, source: 'mqtt', listener: 'mqtt', peer: '', clientId: 'c', user: '', text, clause: '' }
}

describe('an event is as important as what it says', () => {
  test.each([
    ['connected', 'new session', 'debug'],
    ['disconnected', 'client disconnected: normal disconnection', 'debug'],
    ['disconnected', 'connection lost: connection reset by peer', 'info'],
    ['refused', 'wrong password', 'warn'],
    ['limit', 'too many', 'warn'],
    ['failure', 'internal error', 'error'],
  ] as const)('%s "%s" is written as %s', (kind, text, level) => {
    eventLog.take(event(kind, text))
    expect(lines).toEqual([`${level} ${text}`])
  })
})

test('a flood of one kind is written up to the limit, then counted, and leaves other kinds alone', () => {
  for (let index = 0; index < LINES_PER_SECOND_MAX + 7; index++) eventLog.take(event('refused', 'no'))
  eventLog.take(event('failure', 'ours'))
  expect(lines.filter((line) => line === 'warn no')).toHaveLength(LINES_PER_SECOND_MAX)
  expect(lines.at(-1)).toBe('error ours')
  clock.advance(1_000)
  expect(lines.at(-1)).toBe(`warn 7 more events of kind 'refused' within a second`)
})

test('a flood that is not shown uses up nothing of what is, and is told at its own level', () => {
  const goodbye = 'client disconnected: normal disconnection'
  for (let index = 0; index < LINES_PER_SECOND_MAX + 3; index++) eventLog.take(event('disconnected', goodbye))
  eventLog.take(event('disconnected', 'connection lost: network timeout'))
  expect(lines.at(-1)).toBe('info connection lost: network timeout')
  clock.advance(1_000)
  expect(lines.at(-1)).toBe(`debug 3 more events of kind 'disconnected' within a second`)
})

test('after a second lines are written again', () => {
  for (let index = 0; index <= LINES_PER_SECOND_MAX; index++) eventLog.take(event('refused', 'no'))
  clock.advance(1_000)
  eventLog.take(event('refused', 'again'))
  expect(lines.at(-1)).toBe('warn again')
})

test('closing tells what was not written, and leaves no timer', () => {
  for (let index = 0; index <= LINES_PER_SECOND_MAX; index++) eventLog.take(event('limit', 'no'))
  eventLog.close()
  expect(lines.at(-1)).toBe(`warn 1 more events of kind 'limit' within a second`)
  expect(clock.timerCount).toBe(0)
})
