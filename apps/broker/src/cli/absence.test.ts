import type { TransportResponse } from '@ternmq/api/client'
import { expect, onTestFinished, test, vi } from 'vitest'
import { absenceTeller, tellingDelay } from './absence.ts'

const started = { command: 'ternmq', options: '', sets: '' }

function listening(): { readonly io: Parameters<typeof absenceTeller>[0]; readonly said: string[] } {
  const said: string[] = []
  return { io: { stderr: { write: (text) => said.push(String(text)) }, started }, said }
}

test('a broker that is away is told with why and for how long, and that it is back', () => {
  const { io, said } = listening()
  const { onAway, onBack } = absenceTeller(io)
  onAway('the broker does not answer: connect ECONNREFUSED', 3)
  onAway('the broker does not answer: nothing has come for 12 s', 37_500)
  onBack(75_500)
  expect(said).toEqual([
    'ternmq: the broker is away; connecting again until it answers (the broker does not answer: connect ECONNREFUSED); Ctrl-C ends this\n',
    'ternmq: the broker has been away for 37s; connecting again until it answers (the broker does not answer: nothing has come for 12 s); Ctrl-C ends this\n',
    'ternmq: the broker answers again, after 1m 15s\n',
  ])
})

test('a call without an end says that it waits, once, and gets its answer', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const { io, said } = listening()
  const answer = Promise.withResolvers<TransportResponse>()
  const send = tellingDelay(() => answer.promise, io)
  const call = { method: 'GET', path: '/api/v1/overview', headers: {} }
  const sent = [
    send(call),
    send({ ...call, signal: new AbortController().signal }),
    send({ ...call, body: '{"waitMs":30000}' }),
  ]
  await vi.advanceTimersByTimeAsync(60_000)
  expect(said).toEqual(['ternmq: no answer from the broker for 12 s; waiting on, Ctrl-C ends this\n'])
  const response = { status: 200, body: (async function* () {})() }
  answer.resolve(response)
  expect(await Promise.all(sent)).toEqual([response, response, response])
})
