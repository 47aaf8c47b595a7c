import { expect, test } from 'vitest'
import { EARLIER_QUEUES_MAX, earlierOrigins, originsOf } from './origins.ts'

type Annotations = ReturnType<typeof earlierOrigins>

/** What is said of a message that died in these, one after the other. */
function diedIn(...queues: readonly string[]): Annotations {
  let annotations: Annotations = {}
  for (const queue of queues) {
    annotations = {
      ...annotations,
      ...earlierOrigins(annotations),
      originalAddress: 'a/b',
      originalQueue: `$queue/${queue}`,
    }
  }
  return annotations
}

const origins = (annotations: Annotations): readonly string[] | undefined => originsOf({ extras: { annotations } })

test('a letter remembers every queue that it died in, each once, and the topic of a subscription', () => {
  expect(originsOf({ extras: undefined })).toEqual([])
  expect(origins(diedIn('a'))).toEqual(['$queue/a'])
  expect(origins(diedIn('a', 'b', 'c', 'd'))).toEqual(['$queue/d', '$queue/a', '$queue/b', '$queue/c'])
  expect(origins(diedIn('$subscription/c/s', 'b'))).toEqual(['$queue/b', 'a/b'])
  const round = Array.from({ length: 100 }, (_, n) => ['a', 'b', 'c'][n % 3]!)
  expect(new Set(origins(diedIn(...round)))).toEqual(new Set(['$queue/a', '$queue/b', '$queue/c']))
})

test('of one that died in more than are kept, and of what is no list of queues, nobody knows where it was', () => {
  const names = Array.from({ length: EARLIER_QUEUES_MAX + 2 }, (_, n) => `q${n}`)
  expect(origins(diedIn(...names.slice(0, -1)))).toHaveLength(EARLIER_QUEUES_MAX + 1)
  expect(origins(diedIn(...names))).toBeUndefined()
  expect(origins(diedIn(...names, 'q0', 'one more'))).toBeUndefined()
  for (const earlierQueues of ['', '{}', '[1]', 'null', 7]) expect(origins({ earlierQueues })).toBeUndefined()
})
