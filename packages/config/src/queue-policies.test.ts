import { describe, expect, test } from 'vitest'
import { Scratch } from '../test/scratch.ts'
import { queueConfigFor } from './queue-policies.ts'
import type { BrokerConfig } from './types.ts'

const scratch = new Scratch()

function configOf(text: string): BrokerConfig {
  const loaded = scratch.load(text)
  if (!loaded.ok) throw new Error(loaded.errors.join('\n'))
  return loaded.config
}

describe('what holds for a queue', () => {
  const config = configOf(`
queues: {messagesMax: 10, redelivery: {maxDeliveries: 3, delayMs: 5}}
policies:
  - {match: ">", settings: {whenFull: reject, ttlMs: 1}}
  - {match: "orders.>", settings: {ttlMs: 2, redelivery: {delayMs: 7}, duplicateWindow: {count: 9}}}
  - {match: orders.eu, settings: {ttlMs: 3, deadLetter: '', autoDelete: {afterSeconds: 60}}}
`)

  test('is what all queues have when no policy matches it', () => {
    const plain = configOf('policies: [{match: other, settings: {messagesMax: 1}}]')
    expect(queueConfigFor(plain, 'orders')).toEqual(plain.queues)
  })

  test('comes key by key from the last policy that matches and sets it', () => {
    expect(queueConfigFor(config, 'bills')).toEqual({ ...config.queues, whenFull: 'reject', ttlMs: 1 })
    expect(queueConfigFor(config, 'orders.eu')).toEqual({
      ...config.queues,
      whenFull: 'reject',
      ttlMs: 3,
      deadLetter: '',
      redelivery: { ...config.queues.redelivery, delayMs: 7 },
      duplicateWindow: { count: 9, seconds: 600 },
      autoDelete: { afterSeconds: 60 },
    })
  })

  test('is not changed by a key that a program leaves undefined', () => {
    const policies = [{ match: '>', settings: { messagesMax: undefined, redelivery: { delayMs: undefined } } }]
    expect(queueConfigFor({ queues: config.queues, policies }, 'a')).toEqual(config.queues)
  })
})

describe('a mistake in a policy is told with place and key', () => {
  test.each([
    [
      'a pattern',
      '{match: a..b, settings: {}}',
      '1:20: policies[0].match is "a..b"; allowed is a pattern of queue names',
    ],
    [
      'a value',
      '{match: a, settings: {redelivery: {jitter: 2}}}',
      '1:55: policies[0].settings.redelivery.jitter is 2; allowed is a number from 0 to 1',
    ],
    ['a key', '{match: a, settings: {mesagesMax: 2}}', 'did you mean messagesMax?'],
    ['no settings', '{match: a}', 'policies[0].settings is missing; allowed is a section with durability'],
  ])('%s', (_, policy, sentence) => {
    const [error, ...more] = scratch.errorsIn(`policies: [${policy}]`)
    expect(error).toContain(sentence)
    expect(more).toEqual([])
  })

  test('of another queue than a name also where messages are to go', () => {
    expect(scratch.errorsIn('queues: {deadLetter: "a.>"}')[0]).toContain(
      'queues.deadLetter is "a.>"; allowed is the name of a queue',
    )
  })
})

test('a share may be given by flag and environment', () => {
  const config = scratch.load('', {
    sets: ['queues.redelivery.jitter=0.25'],
    env: { TERNMQ_QUEUES__REDELIVERY__MULTIPLIER: '2' },
  })
  expect(config.ok && config.config.queues.redelivery).toMatchObject({ jitter: 0.25, multiplier: 2 })
  expect(scratch.errorsIn('', { sets: ['queues.redelivery.jitter=many'] })).toEqual([
    '--set queues.redelivery.jitter: queues.redelivery.jitter is "many"; allowed is a number from 0 to 1',
  ])
})
