import { makeToken, type Permission } from '@ternmq/auth'
import { MemoryEngine } from '@ternmq/store'
import { virtualEnv } from '@ternmq/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { DEFINITION_BYTES_MAX, policyProblems, problemsOf } from './definition-kinds.ts'
import { DefinitionQueue } from './definition-queue.ts'
import { DefinitionStore } from './definition-store.ts'

const policy = { match: 'orders.>', settings: { bytesMax: 2_048 }, order: 1 }
const permission = { id: 'p', user: 'ann', allow: ['read'], deny: [], topics: ['a/#'] } as const

let engine: MemoryEngine
let reports: string[]
let store: DefinitionStore

const open = (): Promise<DefinitionStore> => DefinitionStore.open(engine.catalog, (text) => reports.push(text))
const write = (key: string, text: string): Promise<number[]> =>
  engine.catalog.commit([{ key, value: Buffer.from(text) }])

beforeEach(async () => {
  engine = new MemoryEngine(virtualEnv())
  reports = []
  store = await open()
})

describe('DefinitionStore', () => {
  it('has after a restart what was changed, and not what was taken away', async () => {
    const { record } = makeToken({ name: 't', user: 'ann', scopes: ['read'], nowMs: 1 })
    await store.policies.change(
      new Map([
        ['p1', policy],
        ['p2', policy],
      ]),
    )
    await store.policies.change(new Map([['p2', undefined]]))
    await store.permissions.change(new Map([['p', permission]]))
    await store.tokens.change(new Map([[record.id, record]]))
    await store.settings.change(
      new Map<string, unknown>([
        ['mqtt.maxQos', 1],
        ['log.level', 'debug'],
      ]),
    )
    store = await open()
    expect([...store.policies.all]).toEqual([['p1', policy]])
    expect([...store.permissions.all]).toEqual([['p', permission]])
    expect(store.tokens.get(record.id)).toEqual(record)
    expect([...store.settings.all]).toEqual([
      ['mqtt.maxQos', 1],
      ['log.level', 'debug'],
    ])
    expect(reports).toEqual([])
  })

  it('counts a change only when it is written', async () => {
    await engine.close()
    await expect(store.policies.change(new Map([['p1', policy]]))).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(store.policies.get('p1')).toBeUndefined()
  })

  it('refuses what is larger than a definition may be, and changes nothing', async () => {
    const topics = ['x'.repeat(DEFINITION_BYTES_MAX)]
    await expect(
      store.permissions.change(
        new Map<string, Permission>([
          ['p', permission],
          ['q', { ...permission, topics }],
        ]),
      ),
    ).rejects.toMatchObject({
      code: 'LIMIT_REACHED',
      more: { rule: `at most ${DEFINITION_BYTES_MAX} bytes` },
    })
    expect(store.permissions.get('p')).toBeUndefined()
  })

  it('refuses one more than there may be; one that is there can still change', async () => {
    const all = Array.from({ length: 1_000 }, (_, index) => [`p${index}`, policy] as const)
    await store.policies.change(new Map(all))
    await expect(store.policies.change(new Map([['more', policy]]))).rejects.toMatchObject({ code: 'LIMIT_REACHED' })
    await store.policies.change(new Map([['p7', { ...policy, order: 9 }]]))
    expect(store.policies.get('p7')!.order).toBe(9)
  })

  const DAMAGED: readonly (readonly [name: string, key: string, text: string, problem: string])[] = [
    ['no JSON', 'policy/p', '{"version":1', 'is damaged'],
    ['no UTF-8', 'policy/p', '\u{0}', 'is damaged'],
    ['a newer version', 'policy/p', '{"version":2,"value":{}}', 'has version 2, this version reads 1'],
    ['no version', 'policy/p', '{}', 'has version undefined, this version reads 1'],
    ['an unknown kind', 'gadget/p', '{"version":1,"value":{}}', 'is of a kind that this version does not know'],
    [
      'a policy with a field too many',
      'policy/p',
      JSON.stringify({ version: 1, value: { ...policy, more: 1 } }),
      "has the unknown field 'more'",
    ],
    [
      'a policy with an unknown setting',
      'policy/p',
      JSON.stringify({ version: 1, value: { ...policy, settings: { byteMax: 1 } } }),
      'has a match or settings that this version does not allow',
    ],
    [
      'a policy without a place',
      'policy/p',
      JSON.stringify({ version: 1, value: { ...policy, order: -1 } }),
      'has an order that is not a whole number from 0 to 1000000000',
    ],
    [
      'a permission for nobody',
      'permission/p',
      '{"version":1,"value":{"id":"p","allow":["read"],"topics":["#"]}}',
      "permission 'p' is for nobody; give it a user or a group",
    ],
    [
      'a permission without topics',
      'permission/p',
      '{"version":1,"value":{"id":"p","user":"ann","topics":"#"}}',
      'has topics that are no list of texts',
    ],
    [
      'a token of another id',
      'token/t',
      JSON.stringify({ version: 1, value: makeToken({ name: 't', user: 'a', scopes: ['read'], nowMs: 1 }).record }),
      'has the id of another one',
    ],
    ['an unknown setting', 'setting/mqtt.gone', '{"version":1,"value":1}', 'is no setting of this version'],
    [
      'a setting out of its range',
      'setting/mqtt.maxQos',
      '{"version":1,"value":9}',
      'has a value that this version does not allow',
    ],
  ]
  for (const [name, key, text, problem] of DAMAGED) {
    it(`opens with ${name}, tells of it, and leaves it where it is`, async () => {
      await write(`definitions/${key}`, text)
      store = await open()
      expect(reports).toHaveLength(1)
      expect(reports[0]).toContain(`definition 'definitions/${key}' ${problem}`)
      expect(store.damaged.map((each) => each.key)).toEqual([`definitions/${key}`])
      expect(
        store.policies.all.size + store.permissions.all.size + store.tokens.all.size + store.settings.all.size,
      ).toBe(0)
      expect((await engine.catalog.get(`definitions/${key}`))?.value).toEqual(Buffer.from(text))
    })
  }

  it('has nothing to complain of when a damaged one is written anew, or deleted', async () => {
    await write('definitions/policy/one', 'x')
    await write('definitions/policy/two', 'x')
    store = await open()
    expect(store.policies.has('one')).toBe(true)
    await store.policies.change(new Map([['one', policy]]))
    await store.policies.change(new Map([['two', undefined]]))
    expect(store.damaged).toEqual([])
    expect(store.policies.has('two')).toBe(false)
  })
})

describe('what is wrong with a policy', () => {
  it('is told with field, value and rule', () => {
    expect(policyProblems({ match: 'a', settings: { bytesMax: 12 } })).toEqual([
      {
        field: 'settings.bytesMax',
        text: 'settings.bytesMax is 12; allowed is a whole number from 1024 to 17592186044416',
        rule: 'a whole number from 1024 to 17592186044416',
      },
    ])
    expect(policyProblems({ match: '', settings: {} })[0]).toMatchObject({ field: 'match' })
    expect(policyProblems({ match: 'a', settings: { byteMax: 1 } as object })[0]).toMatchObject({
      field: 'settings.byteMax',
      text: expect.stringContaining('did you mean bytesMax?') as string,
    })
  })

  it('is also that two settings do not fit together', () => {
    expect(policyProblems({ match: 'a', settings: { ttlMs: 2, ttlMaxMs: 1 } })[0]?.field).toBe('settings.ttlMs')
    expect(policyProblems({ match: 'a', settings: { ttlMs: 1, ttlMaxMs: 1 } })).toEqual([])
  })
})

describe('what is wrong with a setting', () => {
  it('is told in the words of the configuration', () => {
    expect(problemsOf('mqtt.maxQos', 9)).toEqual([
      {
        field: '',
        text: 'mqtt.maxQos is 9; allowed is a whole number from 0 to 2',
        rule: 'a whole number from 0 to 2',
      },
    ])
    expect(problemsOf('mqtt.maxQuos', 1)[0]?.text).toBe('mqtt.maxQuos is not a known key; did you mean mqtt.maxQos?')
    expect(problemsOf('mqtt.maxQos', 1)).toEqual([])
  })
})

describe('DefinitionQueue', () => {
  const ANYBODY = { isValid: () => true }

  it('makes changes one after another, also behind one that failed', async () => {
    const queue = new DefinitionQueue()
    const order: string[] = []
    const slow = queue.run(ANYBODY, async () => {
      order.push('begun')
      await Promise.resolve()
      order.push('failed')
      throw new Error('no')
    })
    const next = queue.run(ANYBODY, async () => order.push('next'))
    await expect(slow).rejects.toThrow('no')
    await next
    expect(order).toEqual(['begun', 'failed', 'next'])
  })

  it('asks at its turn whether whoever wants a change would still be let in', async () => {
    const queue = new DefinitionQueue()
    let isIn = true
    const made: string[] = []
    const demoting = queue.run(ANYBODY, async () => {
      await Promise.resolve()
      isIn = false
    })
    const waiting = queue.run({ isValid: () => isIn }, async () => made.push('an administrator'))
    await expect(waiting).rejects.toMatchObject({ code: 'NOT_LOGGED_IN' })
    await demoting
    expect(made).toEqual([])
    await queue.run(ANYBODY, async () => made.push('next'))
    expect(made).toEqual(['next'])
  })

  it('refuses one too many', async () => {
    const queue = new DefinitionQueue()
    const { promise, resolve } = Promise.withResolvers<void>()
    const waiting = Array.from({ length: 256 }, () => queue.run(ANYBODY, () => promise))
    await expect(queue.run(ANYBODY, () => promise)).rejects.toMatchObject({ code: 'BUSY' })
    resolve()
    await Promise.all(waiting)
    await queue.run(ANYBODY, () => promise)
  })
})
