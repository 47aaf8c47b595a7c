import { VirtualClock } from '@ternmq/testkit'
import { expect, test } from 'vitest'
import { type BrokerEvent, Events } from './events.ts'
import { EVENT_LISTENERS_MAX } from './limits.ts'

function emit(events: Events, text: string): void {
  events.emit({ kind: 'disconnected', source: 'mqtt', text })
}

test('the last events are kept, oldest first, and never more than the limit', () => {
  for (const sizeMax of [1, 2, 3, 7]) {
    const events = new Events(new VirtualClock(), sizeMax)
    for (let count = 1; count <= 20; count++) {
      emit(events, String(count))
      const first = Math.max(1, count - sizeMax + 1)
      const expected = Array.from({ length: count - first + 1 }, (_, index) => String(first + index))
      expect(events.recent().map(({ text }) => text)).toEqual(expected)
    }
  }
})

test('with a size of 0 nothing is kept and the listener still hears', () => {
  const events = new Events(new VirtualClock(), 0)
  const heard: string[] = []
  events.listen(({ text }) => heard.push(text))
  emit(events, 'a')
  emit(events, 'b')
  expect(events.recent()).toEqual([])
  expect(heard).toEqual(['a', 'b'])
})

test('an event has the time it happened and empty text for what nobody said', () => {
  const clock = new VirtualClock()
  const events = new Events(clock, 10)
  clock.advance(1_234)
  events.emit({ kind: 'refused', source: 'mqtt', text: 'bad password', clientId: 'c1', peer: '127.0.0.1:5' })
  const expected: BrokerEvent = {
    id: events.bornId + 1,
    connection: 0,
    atMs: clock.wallMs(),
    kind: 'refused',
    source: 'mqtt',
    listener: '',
    peer: '127.0.0.1:5',
    clientId: 'c1',
    user: '',
    text: 'bad password',
    clause: '',
  }
  expect(events.recent()).toEqual([expected])
})

test('what was asked for is a copy: later events do not change it', () => {
  const events = new Events(new VirtualClock(), 2)
  emit(events, 'a')
  const before = events.recent()
  emit(events, 'b')
  emit(events, 'c')
  expect(before.map(({ text }) => text)).toEqual(['a'])
})

test('what a client chose is cut: remembered events must stay small', () => {
  const events = new Events(new VirtualClock(), 10)
  events.emit({
    kind: 'refused',
    source: 'mqtt',
    text: 't'.repeat(65_535),
    clientId: 'c'.repeat(65_535),
    user: 'u'.repeat(300),
  })
  const [event] = events.recent()
  expect([event!.text.length, event!.clientId.length, event!.user.length]).toEqual([1_025, 257, 257])
  expect(event!.clientId.endsWith('c…')).toBe(true)
})

test('ids ascend without gaps, and a stream goes on after the one it had last', () => {
  const events = new Events(new VirtualClock(), 3)
  const { bornId } = events
  expect([events.lastId, events.after(bornId, 10)]).toEqual([bornId, []])
  for (const text of ['a', 'b', 'c', 'd', 'e']) emit(events, text)
  const textsAfter = (count: number, max = 10): string[] =>
    events.after(bornId + count, max).map(({ id, text }) => `${id - bornId}${text}`)
  expect(events.lastId - bornId).toBe(5)
  expect(textsAfter(3)).toEqual(['4d', '5e'])
  expect(textsAfter(2, 2)).toEqual(['3c', '4d'])
  expect(textsAfter(5)).toEqual([])
  // 2 is forgotten.
  expect(textsAfter(1)).toEqual(['3c', '4d', '5e'])
})

test('no id of one process is one of another, however many events either has had', () => {
  const clock = new VirtualClock()
  const before = new Events(clock, 10)
  for (let count = 0; count < 20; count++) emit(before, 'old')
  clock.advance(1_000)
  const events = new Events(clock, 3)
  for (const lastId of [before.bornId, before.lastId]) expect(events.hasCounted(lastId)).toBe(false)
  for (let count = 0; count < 40; count++) emit(events, String(count))
  expect(events.recent().every(({ id }) => id > before.lastId && Number.isSafeInteger(id))).toBe(true)
  expect([events.bornId, events.lastId].map((id) => [events.hasCounted(id), before.hasCounted(id)])).toEqual([
    [true, false],
    [true, false],
  ])
  for (const { id } of before.recent()) {
    expect([events.hasCounted(id), events.after(id, 10).map(({ text }) => text)]).toEqual([false, ['37', '38', '39']])
  }
})

test('several listen, each until it has had enough, even in the middle of an event', () => {
  const events = new Events(new VirtualClock(), 1)
  const heard: string[] = []
  const ends = ['one', 'two', 'three'].map((name) =>
    events.listen(({ text }) => {
      heard.push(`${name} ${text}`)
      if (name === 'one') ends[0]!()
    })!,
  )
  emit(events, 'a')
  ends[2]!()
  ends[2]!()
  emit(events, 'b')
  expect(heard).toEqual(['one a', 'two a', 'three a', 'two b'])
})

test('listeners are bounded: one more than the limit is told so and hears nothing', () => {
  const events = new Events(new VirtualClock(), 1)
  const ends = Array.from({ length: EVENT_LISTENERS_MAX }, () => events.listen(() => {}))
  expect(events.listen(() => expect.unreachable())).toBeUndefined()
  emit(events, 'a')
  ends[0]!()
  expect(events.listen(() => {})).toBeDefined()
})
