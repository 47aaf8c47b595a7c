import { deletePolicy, listPolicies, type PolicyBody, previewPolicy, putPolicy } from '@ternmq/api'
import { beforeEach, describe, expect, it } from 'vitest'
import { DefinitionWorld } from '../../test/definition-world.ts'
import { PIECE_ITEMS_MAX } from '../pieces.ts'

let world: DefinitionWorld

beforeEach(async () => {
  const policies = [{ match: 'orders.>', settings: { messagesMax: 10, ttlMs: 5 } }]
  world = await DefinitionWorld.open({ config: { policies } })
})

const put = (id: string, body: PolicyBody) => world.call(putPolicy, { params: { vhost: '/', id }, body })
const settingsOf = (name: string) => world.vhost.destinations.find(name)!.queue.settings

describe('a policy', () => {
  it('counts at once for queues that are there, over those of the configuration', async () => {
    world.define('orders.eu')
    const item = await put('small', { match: 'orders.*', settings: { messagesMax: 3 } })
    expect(item).toEqual({
      id: 'small',
      match: 'orders.*',
      settings: { messagesMax: 3 },
      order: 0,
      from: 'api',
      queueCount: 1,
    })
    expect(settingsOf('orders.eu')).toMatchObject({ messagesMax: 3, ttlMs: 5 })
    expect(world.notes).toEqual(['match orders.*, 1 queue, messagesMax 3'])
  })

  it('counts after a restart, for queues that come back with the log', async () => {
    world.define('orders.eu')
    await put('small', { match: 'orders.*', settings: { deadLetter: '' } })
    world.env.clock.settle()
    await world.restart()
    expect(settingsOf('orders.eu')).toMatchObject({ messagesMax: 10, deadLetter: undefined })
  })

  it('goes over those with a smaller order, and behind the others when it has none', async () => {
    await put('b', { match: '>', settings: { messagesMax: 1 } })
    await put('a', { match: '>', settings: { messagesMax: 2 } })
    world.define('q')
    expect(settingsOf('q').messagesMax).toBe(2)
    await put('first', { match: '>', settings: { messagesMax: 3 }, order: 0 })
    await put('b', { match: '>', settings: { messagesMax: 4 } })
    const { items } = await world.call(listPolicies)
    expect(items.map(({ id, order, from }) => [id, order, from])).toEqual([
      ['config[0]', 0, 'config'],
      ['b', 0, 'api'],
      ['first', 0, 'api'],
      ['a', 1, 'api'],
    ])
    expect(settingsOf('q').messagesMax).toBe(2)
  })

  it('goes with its deletion, and queues are as before', async () => {
    world.define('q')
    await put('p', { match: 'q', settings: { messagesMax: 1 } })
    await world.call(deletePolicy, { params: { vhost: '/', id: 'p' } })
    expect(settingsOf('q').messagesMax).toBe(100_000_000)
    await expect(world.call(deletePolicy, { params: { vhost: '/', id: 'p' } })).rejects.toMatchObject({
      code: 'POLICY_UNKNOWN',
    })
  })

  it('stays when the configuration is another', async () => {
    world.define('orders.eu')
    await put('small', { match: 'orders.*', settings: { ttlMs: 7 } })
    await world.parts.policies.useConfig({ queues: world.config.queues, policies: [] })
    expect(settingsOf('orders.eu')).toMatchObject({ messagesMax: 100_000_000, ttlMs: 7 })
  })

  it('of the configuration is changed there', async () => {
    await expect(put('config[0]', { match: '>', settings: {} })).rejects.toMatchObject({ code: 'FROM_CONFIG' })
    await expect(world.call(deletePolicy, { params: { vhost: '/', id: 'config[0]' } })).rejects.toMatchObject({
      code: 'FROM_CONFIG',
    })
  })

  it('counts the queues that it reaches', async () => {
    for (const name of ['orders.eu', 'orders.us', 'other']) world.define(name)
    await put('eu', { match: 'orders.eu', settings: {} })
    const { items } = await world.call(listPolicies)
    expect(items.map(({ queueCount }) => queueCount)).toEqual([2, 1])
  })

  const REFUSED: readonly (readonly [id: string, body: PolicyBody, more: object])[] = [
    ['../x', { match: 'q', settings: {} }, { field: 'id', value: '../x' }],
    ['p', { match: 'a..b', settings: {} }, { field: 'match', value: 'a..b' }],
    [
      'p',
      { match: 'q', settings: { bytesMax: 1 } },
      { field: 'settings.bytesMax', value: 1, rule: 'a whole number from 1024 to 17592186044416' },
    ],
    ['p', { match: 'q', settings: { ttlMs: 2, ttlMaxMs: 1 } }, { field: 'settings.ttlMs', value: 2 }],
    [
      'p',
      { match: 'q', settings: {}, order: -1 },
      { field: 'order', value: -1, rule: 'a whole number from 0 to 1000000000' },
    ],
  ]
  for (const [id, body, more] of REFUSED) {
    it(`is refused as ${JSON.stringify({ id, ...body })} with field, value and rule`, async () => {
      await expect(put(id, body)).rejects.toMatchObject({ code: 'INVALID', more })
      expect(world.definitions.policies.all.size).toBe(0)
    })
  }

  it('is of the virtual host that the path names', async () => {
    await expect(world.call(listPolicies, { params: { vhost: 'b' } })).rejects.toMatchObject({ code: 'VHOST_UNKNOWN' })
  })

  it('that the store did not take does not count', async () => {
    world.define('q')
    world.env.clock.settle()
    await world.engine.close()
    await expect(put('p', { match: 'q', settings: { messagesMax: 1 } })).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(settingsOf('q').messagesMax).toBe(100_000_000)
  })
})

describe('the preview of a policy', () => {
  const preview = (body: PolicyBody & { readonly id?: string }) => world.call(previewPolicy, { body })

  it('says which queues it would reach and what it would change, and changes nothing', async () => {
    world.define('orders.eu')
    world.define('orders.us', { messagesMax: 7 })
    world.define('other')
    const shown = await preview({ match: 'orders.*', settings: { messagesMax: 3, redelivery: { delayMs: 9 } } })
    expect(shown.queueCount).toBe(2)
    expect(shown.queues).toEqual(['orders.eu', 'orders.us'])
    expect(shown.changes).toEqual([
      { queue: 'orders.eu', key: 'messagesMax', before: 10, after: 3 },
      { queue: 'orders.eu', key: 'redelivery.delayMs', before: 0, after: 9 },
      { queue: 'orders.us', key: 'redelivery.delayMs', before: 0, after: 9 },
    ])
    expect(settingsOf('orders.eu').messagesMax).toBe(10)
    expect(world.definitions.policies.all.size).toBe(0)
  })

  it('of one that exists tells what queues lose that it reaches no more', async () => {
    world.define('orders.eu')
    await put('p', { match: 'orders.eu', settings: { messagesMax: 3 } })
    const shown = await preview({ id: 'p', match: 'elsewhere', settings: { messagesMax: 3 } })
    expect(shown).toEqual({
      queueCount: 0,
      queues: [],
      changes: [{ queue: 'orders.eu', key: 'messagesMax', before: 3, after: 10 }],
    })
  })

  it('is bounded, though it counts all', async () => {
    for (let count = 0; count < 1_200; count++) world.define(`many.${count}`)
    const shown = await preview({ match: 'many.*', settings: { messagesMax: 3 } })
    expect([shown.queueCount, shown.queues.length, shown.changes.length]).toEqual([1_200, 100, 1_000])
  })

  it('is of the policies of its moment, however many queues there are and whatever changes while it looks', async () => {
    for (let index = 0; index < 3 * PIECE_ITEMS_MAX; index++) world.define(`q${index}`)
    const { policies } = world.vhost
    const settings = { ttlMs: 9 }
    const asked = preview({ match: '>', settings })
    policies.use(policies.defaults, [{ match: '>', settings }])
    const { queueCount, changes } = await asked
    expect([queueCount, changes.length]).toEqual([3 * PIECE_ITEMS_MAX, 3 * PIECE_ITEMS_MAX])
    expect(changes.every(({ before, after }) => before === 0 && after === 9)).toBe(true)
  })

  it('refuses what could not be saved', async () => {
    await expect(preview({ match: 'q', settings: { messagesMax: 0 } })).rejects.toMatchObject({
      code: 'INVALID',
      more: { field: 'settings.messagesMax' },
    })
  })
})
