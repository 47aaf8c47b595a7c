import { expect, test } from 'vitest'

import { prettyLine } from './pretty-lines.ts'

const time = '2026-11-20T14:33:04.389Z'

test('a line has time, level and sentence first, then what it is about, without what is empty', () => {
  const line = prettyLine({
    level: 'warn',
    time,
    listener: 'mqtt',
    clientId: 'a b',
    clause: '',
    count: 3,
    msg: 'refused',
  })
  expect(line).toBe('14:33:04.389 WARN  refused  listener=mqtt  clientId="a b"  count=3\n')
})

test('control characters from a client do not reach the terminal', () => {
  const line = prettyLine({ level: 'info', time, clientId: '\u001b[2J', msg: 'topic \u001b[31m\n\u009b' })
  expect(line).toBe('14:33:04.389 INFO  topic \\u001b[31m\\u000a\\u009b  clientId="\\u001b[2J"\n')
})
