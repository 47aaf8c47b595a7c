import { describe, expect, test } from 'vitest'
import { Scratch } from '../test/scratch.ts'

const scratch = new Scratch()

test('a policy has what is written in it and nothing else', () => {
  const text = "policies: [{match: 'orders.>', settings: {ttlMs: 2, redelivery: {delayMs: 7}}}]"
  const loaded = scratch.load(text)
  expect(loaded.ok && loaded.config.policies).toEqual([
    { match: 'orders.>', settings: { ttlMs: 2, redelivery: { delayMs: 7 } } },
  ])
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
