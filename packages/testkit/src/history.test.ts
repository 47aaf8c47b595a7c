import { describe, expect, test } from 'vitest'

import { type HistoryOrder, QueueHistory } from './history.ts'

const NONE: ReadonlyMap<string, readonly string[]> = new Map()

/** Confirmed messages of producer p in queue q. */
function historyOf(ids: readonly string[], order?: HistoryOrder): QueueHistory {
  const history = new QueueHistory({ seed: 9, ...(order === undefined ? {} : { order }) })
  for (const id of ids) {
    history.published('q', id, 'p')
    history.publishConfirmed('q', id)
  }
  return history
}

function waiting(...ids: string[]): ReadonlyMap<string, readonly string[]> {
  return new Map([['q', ids]])
}

function consume(history: QueueHistory, id: string): void {
  history.delivered('q', id, 'c', false)
  history.settled('q', id)
  history.settleConfirmed('q', id)
}

describe('histories of a broker that keeps its promises', () => {
  test('everything is delivered and settled', () => {
    const history = historyOf(['1', '2', '3'])
    for (const id of ['1', '2', '3']) consume(history, id)
    expect(history.violations(NONE)).toEqual([])
    expect(history.eventCount).toBe(15)
  })

  test('everything waits', () => {
    expect(historyOf(['1', '2']).violations(waiting('1', '2'))).toEqual([])
  })

  test('what was not confirmed is there or not', () => {
    const history = historyOf([])
    history.published('q', '1', 'p')
    history.published('q', '2', 'p')
    history.brokerEnded()
    expect(history.violations(waiting('2'))).toEqual([])
    expect(history.violations(NONE)).toEqual([])
  })

  test('a settle without confirmation is forgotten in a crash, or is not', () => {
    const history = historyOf(['1', '2'])
    for (const id of ['1', '2']) {
      history.delivered('q', id, 'c', false)
      history.settled('q', id)
    }
    history.brokerEnded()
    history.delivered('q', '2', 'c2', true)
    expect(history.violations(NONE)).toEqual([])
  })

  test('what a consumer holds at the end need not be in the queue', () => {
    const history = historyOf(['1'])
    history.delivered('q', '1', 'c', false)
    expect(history.violations(NONE)).toEqual([])
    expect(history.violations(waiting('1'))).toEqual([])
  })

  test('given back by its consumer, by the end of the connection or of the broker, it is delivered again, marked', () => {
    const history = historyOf(['1', '2'])
    history.delivered('q', '1', 'a', false)
    history.delivered('q', '2', 'a', false)
    history.released('q', '1')
    history.delivered('q', '1', 'b', true)
    history.consumerGone('b')
    history.delivered('q', '1', 'c', true)
    history.brokerEnded()
    history.delivered('q', '1', 'd', true)
    expect(history.violations(waiting('2'))).toEqual([])
  })

  test('a message that was sent twice is there twice', () => {
    const history = historyOf(['1', '2'])
    history.brokerEnded()
    history.published('q', '1', 'p')
    history.publishConfirmed('q', '1')
    consume(history, '2')
    consume(history, '1')
    history.delivered('q', '1', 'c', false)
    expect(history.violations(NONE)).toEqual([])
  })

  test('one message has a life of its own in each queue', () => {
    const history = historyOf(['1'])
    history.published('other', '1', 'p')
    consume(history, '1')
    history.delivered('other', '1', 'd', false)
    expect(history.violations(NONE)).toEqual([])
  })

  test('a message may be discarded by a limit', () => {
    const history = historyOf(['1'])
    history.discarded('q', '1')
    expect(history.violations(NONE)).toEqual([])
  })

  test('first deliveries of two consumers race where only the order of each is checked', () => {
    const history = historyOf(['1', '2', '3'], 'consumer')
    history.delivered('q', '2', 'b', false)
    history.delivered('q', '1', 'a', false)
    history.delivered('q', '3', 'a', false)
    expect(history.violations(NONE)).toEqual([])
  })

  test('a queue by priority has no order', () => {
    const history = historyOf(['1', '2', '3'], 'none')
    history.delivered('q', '2', 'b', false)
    expect(history.violations(waiting('3', '1'))).toEqual([])
  })
})

describe('a broken promise is found', () => {
  const broken: readonly [string, (history: QueueHistory) => ReadonlyMap<string, readonly string[]> | void, string][] =
    [
      [
        'a confirmed message is nowhere',
        () => waiting('1'),
        'a confirmed message is lost: 2 of p in queue q (3 published, 4 publish confirmed)',
      ],
      [
        'a delivered message that nobody settled is nowhere after a crash',
        (history) => {
          history.delivered('q', '1', 'c', false)
          history.brokerEnded()
          return waiting('2')
        },
        'a confirmed message is lost: 1 of p in queue q (1 published, 2 publish confirmed, 5 delivered, 6 broker ended)',
      ],
      [
        'a message is lost after it was given back',
        (history) => {
          history.delivered('q', '1', 'c', false)
          history.released('q', '1')
          return waiting('2')
        },
        'a confirmed message is lost: 1',
      ],
      [
        'a message is lost with the connection of its consumer',
        (history) => {
          history.delivered('q', '1', 'c', false)
          history.consumerGone('c')
          return waiting('2')
        },
        'a confirmed message is lost: 1',
      ],
      [
        'a settle that had no effect before does not excuse a loss later',
        (history) => {
          history.delivered('q', '1', 'c', false)
          history.settled('q', '1')
          history.brokerEnded()
          history.delivered('q', '1', 'd', true)
          history.brokerEnded()
          return waiting('2')
        },
        'a confirmed message is lost: 1',
      ],
      [
        'an undone settle takes the message away',
        (history) => {
          history.delivered('q', '1', 'c', false)
          history.settled('q', '1')
          history.settleUndone('q', '1')
          history.released('q', '1')
          return waiting('2')
        },
        'a confirmed message is lost: 1',
      ],
      [
        'a settled message is delivered again',
        (history) => {
          consume(history, '1')
          history.brokerEnded()
          history.delivered('q', '1', 'd', true)
          return waiting('2')
        },
        'it came back after its settle was confirmed: 1',
      ],
      [
        'a settled message waits',
        (history) => {
          consume(history, '1')
          return waiting('1', '2')
        },
        'it waits in the queue after its settle was confirmed: 1',
      ],
      [
        'a message is delivered before an older one',
        (history) => {
          history.delivered('q', '2', 'c', false)
          history.delivered('q', '1', 'd', false)
        },
        'out of order: 2, published after it, was delivered first: 1 of p in queue q',
      ],
      [
        'the order is lost in a crash',
        (history) => {
          history.delivered('q', '2', 'c', false)
          history.brokerEnded()
          history.delivered('q', '1', 'd', false)
          return waiting('2')
        },
        'out of order: 2, published after it, was delivered first: 1',
      ],
      ['messages wait in the wrong order', () => waiting('2', '1'), 'out of order: it waits behind 2'],
      ['a message waits twice', () => waiting('1', '1', '2'), 'it waits in the queue twice: 1'],
      [
        'a repeat is not marked',
        (history) => {
          history.delivered('q', '1', 'c', false)
          history.brokerEnded()
          history.delivered('q', '1', 'd', false)
          return waiting('2')
        },
        'a repeated delivery is not marked as redelivered: 1',
      ],
      [
        'two consumers hold one message',
        (history) => {
          history.delivered('q', '1', 'c', false)
          history.delivered('q', '1', 'd', true)
          return waiting('2')
        },
        'it was delivered again though nothing had given it back: 1',
      ],
      [
        'a message comes back after a settle, without any crash',
        (history) => {
          history.delivered('q', '1', 'c', false)
          history.settled('q', '1')
          history.delivered('q', '1', 'c', true)
          return waiting('2')
        },
        'it was delivered again though nothing had given it back: 1',
      ],
      [
        'a message comes from nowhere',
        (history) => {
          history.delivered('q', '7', 'c', false)
          return waiting('1', '2')
        },
        'never published: 7 was delivered from queue q to c, event 5',
      ],
      [
        'a message is delivered from a queue it was not sent to',
        (history) => {
          history.delivered('other', '1', 'c', false)
          return waiting('1', '2')
        },
        'never published: 1 was delivered from queue other',
      ],
      ['a message from nowhere waits', () => waiting('1', '7', '2'), 'never published: 7 waits in queue q'],
      [
        'a refused message is delivered',
        (history) => {
          history.published('q', '3', 'p')
          history.publishRefused('q', '3')
          history.delivered('q', '3', 'c', false)
          return waiting('1', '2')
        },
        'a refused message was delivered: 3',
      ],
      [
        'a message that was delivered is refused afterwards',
        (history) => {
          history.published('q', '3', 'p')
          history.delivered('q', '3', 'c', false)
          history.publishRefused('q', '3')
          return waiting('1', '2')
        },
        'a refused message was delivered: 3',
      ],
      [
        'a refused message waits',
        (history) => {
          history.published('q', '3', 'p')
          history.publishRefused('q', '3')
          return waiting('1', '2', '3')
        },
        'a refused message waits in the queue: 3',
      ],
      [
        'a discarded message is delivered',
        (history) => {
          history.discarded('q', '1')
          history.delivered('q', '1', 'c', false)
          return waiting('2')
        },
        'it was delivered after it was discarded: 1',
      ],
    ]

  test.for(broken)('%s', ([, write, text]) => {
    const history = historyOf(['1', '2'])
    const found = history.violations(write(history) ?? NONE)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(text)
  })

  test('one consumer gets messages out of order', () => {
    const history = historyOf(['1', '2'], 'consumer')
    history.delivered('q', '2', 'c', false)
    history.delivered('q', '1', 'c', false)
    expect(history.violations(NONE)).toEqual([expect.stringContaining('out of order')])
  })

  test('the failure names seed, ends of the broker, and only as much as can be read', () => {
    const ids = Array.from({ length: 30 }, (_, n) => `${n}`)
    const history = historyOf(ids)
    for (const id of ids) consume(history, id)
    history.brokerEnded()
    for (const id of ids) history.delivered('q', id, 'd', true)
    expect(() => history.verify(NONE)).toThrow(
      /^history of seed 9: 30 violations in 181 events, the broker ended at events 151\n {2}it came back .*\n(?: {2}it .*\n){9} {2}and 20 more$/,
    )
  })

  test('an event of an unknown message is a mistake of the test', () => {
    expect(() => historyOf([]).settled('q', '1')).toThrow(
      'history: settle sent for 1 in queue q, never published there',
    )
  })
})
