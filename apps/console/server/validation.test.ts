import {
  changeConfig,
  getQueue,
  listQueues,
  login,
  publishMessage,
  putQueue,
  putUser,
  settleMessages,
} from '@ternmq/api'
import { routes, schemasOf } from '@ternmq/api/schemas'
import { ApiError, type ProblemMore } from '@ternmq/management'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { exampleOf } from './examples.ts'
import { ISSUES_MAX } from './limits.ts'
import { type CallParts, validatorFor } from './validation.ts'

type Refused = { readonly code: string; readonly detail: string } & ProblemMore

function refusal(f: () => CallParts): Refused {
  try {
    f()
  } catch (error) {
    if (error instanceof ApiError) return { code: error.code, detail: error.message, ...error.more }
    throw error
  }
  throw new Error('nothing was refused')
}

const queue = { vhost: '/', queue: 'orders' }
const list = validatorFor(schemasOf(listQueues))
const put = validatorFor(schemasOf(putQueue))

describe('a query', () => {
  test('is read by its schema', () => {
    const { query } = list({ vhost: '/' }, { limit: '50', unhealthy: 'true', nonEmpty: 'false', q: '12' }, undefined)
    expect(query).toEqual({ limit: 50, unhealthy: true, nonEmpty: false, q: '12' })
  })

  test.each(['', ' 5', '5 ', '0x10', '1e2', '5.0.0', '٥', 'NaN', '5,0', '+5'])(
    'does not take %j for a number',
    (limit) => {
      expect(refusal(() => list({ vhost: '/' }, { limit }, undefined))).toMatchObject({ field: 'limit', value: limit })
    },
  )
})

describe('what is wrong is told', () => {
  test('in a sentence, with field, value and rule', () => {
    expect(refusal(() => list({ vhost: '/' }, { limit: '9999' }, undefined))).toEqual({
      code: 'INVALID',
      detail: 'limit is 9999; allowed is a whole number from 1 to 500',
      field: 'limit',
      value: 9999,
      rule: 'a whole number from 1 to 500',
    })
  })

  test('of a field inside, in the words of the configuration', () => {
    expect(refusal(() => put(queue, {}, { settings: { redelivery: { jitter: 2 } } }))).toMatchObject({
      field: 'settings.redelivery.jitter',
      value: 2,
      rule: 'a number from 0 to 1',
    })
    expect(refusal(() => put(queue, {}, { settings: { deadLetter: '*' } })).rule).toContain('the name of a queue')
  })

  test('of a choice, with what there is', () => {
    expect(refusal(() => list({ vhost: '/' }, { kind: 'queues' }, undefined)).rule).toBe(
      'one of "queue", "subscription", "temporary"',
    )
  })

  test('of an unknown field, with the one that was meant', () => {
    expect(refusal(() => put(queue, {}, { settings: { messageMax: 5 } })).detail).toBe(
      'settings.messageMax is not known; did you mean settings.messagesMax?',
    )
    expect(refusal(() => validatorFor(schemasOf(getQueue))(queue, { verbose: 'true' }, undefined)).detail).toBe(
      'verbose is not known; there are none',
    )
  })

  test('of a field that is missing', () => {
    const publish = validatorFor(schemasOf(publishMessage))
    expect(refusal(() => publish({ vhost: '/' }, {}, { address: 'queue://a' })).detail).toBe(
      'body is missing; allowed is text of 0 to 16777216 characters',
    )
  })

  test('of all fields, up to a limit', () => {
    const refused = refusal(() => list({ vhost: '/' }, { limit: '0', kind: 'x', unhealthy: 'y' }, undefined))
    expect(new Set([refused.field, ...refused.others!.map(({ field }) => field)])).toEqual(
      new Set(['kind', 'limit', 'unhealthy']),
    )
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`x${n}`, '1']))
    const { detail, others } = refusal(() => list({ vhost: '/' }, { ...many, limit: '0' }, undefined))
    expect(others!.length).toBe(ISSUES_MAX - 1)
    expect(detail).toMatch(/; 16 of 101 wrong fields are told$/)
  })

  test('of a list that is too long in one fault, whatever is in it', () => {
    const settle = validatorFor(schemasOf(settleMessages))
    const refused = refusal(() =>
      settle({ vhost: '/' }, {}, { deliveries: Array(20_000).fill(7), outcome: 'accepted' }),
    )
    expect([refused.value, refused.others]).toEqual(['a list of 20000', undefined])
  })

  test('never with a secret, nor with what may hold one', () => {
    const secrets = ['hunter2'.repeat(1_000), { hunter2: 1 }, ['hunter2'], 7_777]
    for (const password of secrets) {
      for (const route of [login, putUser]) {
        const params = route === putUser ? { name: 'ann' } : {}
        const refused = refusal(() => validatorFor(schemasOf(route))(params, {}, { user: 'ann', password }))
        const all = JSON.stringify(refused)
        expect(all).toContain('password')
        expect(all).not.toMatch(/hunter2|7777/)
      }
    }
    expect(JSON.stringify(refusal(() => validatorFor(schemasOf(login))({}, {}, 'hunter2')))).not.toContain('hunter2')
  })

  test('with a long value cut', () => {
    const refused = refusal(() => list({ vhost: '/' }, { kind: 'x'.repeat(10_000) }, undefined))
    expect(String(refused.value).length).toBeLessThan(100)
    expect(refused.detail.length).toBeLessThan(300)
  })
})

test('a setting that is nested without end is refused before anybody walks through it', () => {
  const value: unknown = JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`)
  const check = (nested: unknown): unknown =>
    validatorFor(schemasOf(changeConfig))({}, {}, { changes: { 'log.level': nested } })
  expect(() => check(value)).toThrow(
    /^changes is "an object"; allowed is up to 500 settings by key, with values of lists/,
  )
  expect(() => check([{ topics: ['a'] }])).not.toThrow()
})

test('whatever is sent to whichever call is taken or refused, never a failure', () => {
  const json = fc.jsonValue({ maxDepth: 4 })
  for (const route of routes) {
    const schemas = schemasOf(route)
    const validate = validatorFor(schemas)
    const good = schemas.body === undefined ? undefined : (exampleOf(schemas.body) as object)
    const fields = good === undefined ? ['x'] : Object.keys(good)
    const broken = fc.tuple(fc.constantFrom(...fields), json).map(([name, value]) => ({ ...good, [name]: value }))
    fc.assert(
      fc.property(fc.oneof(json, broken), fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }), (body, query) => {
        try {
          validate({ vhost: '/' }, query, body)
        } catch (error) {
          expect(error).toBeInstanceOf(ApiError)
        }
      }),
      { numRuns: 40 },
    )
  }
})
