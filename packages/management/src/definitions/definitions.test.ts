import {
  type ApplyBody,
  applyDefinitions,
  createToken,
  type Definitions,
  exportDefinitions,
  listTokens,
  planDefinitions,
  putPermission,
  putPolicy,
  type Role,
} from '@ternmq/api'
import type { Pattern } from '@ternmq/core'
import { SeededRandom } from '@ternmq/testkit'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { callerOf, DefinitionWorld, ROOT, userNamed, VERIFIER } from '../../test/definition-world.ts'
import { messageOf } from '../../test/managed-world.ts'

const OTHER_VERIFIER = VERIFIER.replace('$AAAA', '$BBBB')

let world: DefinitionWorld

beforeEach(async () => {
  world = await DefinitionWorld.open()
})

type Document = Omit<Definitions, 'version'>

const plan = (definitions: Document, prune = false) =>
  world.call(planDefinitions, { body: { definitions: { version: 1, ...definitions }, prune } })
type More = Omit<ApplyBody, 'definitions'> & { readonly caller?: string }
const apply = (definitions: Document, { caller = 'root', ...more }: More = {}) => {
  return world.call(applyDefinitions, {
    body: { everybody: 'limited', ...more, definitions: { version: 1, ...definitions } },
    caller: callerOf(caller),
  })
}
const lines = ({ steps }: Awaited<ReturnType<typeof plan>>): string[] =>
  steps.map(({ change, kind, name, detail }) => [`${change} ${kind} ${name}`, ...detail].join('; '))

const SHOP: Document = {
  users: [{ name: 'ann', groups: ['ops'], role: 'operator', verifier: VERIFIER }],
  permissions: [{ id: 'ops', group: 'ops', allow: ['read'], topics: ['#'] }],
  policies: [{ id: 'small', match: 'orders.>', settings: { messagesMax: 10 }, order: 5 }],
  queues: [
    { name: 'orders.eu', settings: { ttlMs: 7 } },
    { name: 'paused', paused: true },
  ],
}

describe('a plan', () => {
  it('says what would be made, in an order that works, and makes nothing', async () => {
    const made = await plan(SHOP)
    expect(lines(made)).toEqual([
      'create user ann',
      'create permission ops',
      'create policy small',
      'create queue orders.eu',
      'create queue paused',
    ])
    expect(made.unchangedCount).toBe(0)
    expect(world.vhost.destinations.count).toBe(0)
    expect((await plan(SHOP)).id).toBe(made.id)
  })

  it('warns where its permissions are the first: what they do not allow is denied from then on', async () => {
    const warning =
      'with the first permission, what no permission allows is denied, to those who are connected too; until now everybody may do everything'
    expect((await plan(SHOP)).warnings).toEqual([warning])
    expect((await plan({ ...SHOP, permissions: [] })).warnings).toEqual([])
    await apply(SHOP)
    const more = [{ id: 'more', user: 'ann', allow: ['write'], topics: ['#'] }] as const
    expect((await plan({ permissions: more })).warnings).toEqual([])
  })

  it('turns what holds for everybody only when that is said: with the first permission, and without the last one', async () => {
    const [p, q] = ['p', 'q'].map((id) => ({ id, user: 'ann', allow: ['read'] as const, topics: ['#'] }))
    const refusal = (everybody: string): object => ({
      code: 'TURNS_ACCESS',
      more: { field: 'everybody', rule: `'${everybody}'` },
    })
    expect((await plan({ permissions: [p!] })).turns).toBe('limited')
    await expect(apply({ permissions: [p!] }, { everybody: undefined })).rejects.toMatchObject(refusal('limited'))
    await expect(apply({ permissions: [p!] }, { everybody: 'unlimited' })).rejects.toMatchObject(refusal('limited'))
    expect(world.definitions.permissions.all.size).toBe(0)
    await apply({ permissions: [p!] }, { everybody: 'limited' })
    expect((await plan({ permissions: [q!] }, true)).turns).toBeUndefined()
    await apply({ permissions: [q!] }, { prune: true, everybody: undefined })
    const { turns, warnings } = await plan({ permissions: [] }, true)
    expect([turns, warnings]).toEqual([
      'unlimited',
      [
        'without the last permission, everybody may do everything, those who are connected too; until now what no permission allows is denied',
      ],
    ])
    await expect(apply({ permissions: [] }, { prune: true, everybody: 'limited' })).rejects.toMatchObject(
      refusal('unlimited'),
    )
    await apply({ permissions: [] }, { prune: true, everybody: 'unlimited' })
    expect(world.definitions.permissions.all.size).toBe(0)
  })

  it('says what differs, setting by setting, and no hash', async () => {
    await apply(SHOP)
    const made = await plan({
      users: [{ name: 'ann', groups: ['ops', 'dev'], verifier: OTHER_VERIFIER }],
      permissions: [{ id: 'ops', group: 'ops', allow: ['read', 'write'], topics: ['#'] }],
      policies: [{ id: 'small', match: 'orders.>', settings: { messagesMax: 20, redelivery: { delayMs: 3 } } }],
      queues: [{ name: 'orders.eu' }, { name: 'paused' }],
    })
    expect(lines(made)).toEqual([
      'change user ann; groups: ["ops"] → ["ops","dev"]; role: "operator" → none; password: another one',
      'change permission ops; allow: ["read"] → ["read","write"]',
      'change policy small; settings.messagesMax: 10 → 20; settings.redelivery.delayMs: none → 3',
      'change queue orders.eu; settings.ttlMs: 7 → none',
      'change queue paused; paused: true → none',
    ])
    expect(JSON.stringify(made)).not.toContain('scrypt')
  })

  it('warns of another password for users with a role, and of no other user', async () => {
    const users = ['ann', 'bea'].map((name) => ({ name, verifier: VERIFIER }))
    await apply({ users: [{ ...users[0]!, role: 'viewer' }, users[1]!] })
    const changed = users.map(({ name }) => ({ name, verifier: OTHER_VERIFIER }))
    const { warnings } = await plan({ users: [...changed, { name: 'new', role: 'viewer', verifier: VERIFIER }] })
    expect(warnings).toEqual(['another password for ann: the one until now lets nobody in'])
    expect((await plan({ users: [users[0]!] })).warnings).toEqual([])
  })

  it('leaves a password as it is that the document does not have', async () => {
    await apply(SHOP)
    expect(await plan({ users: [{ name: 'ann', groups: ['ops'], role: 'operator' }] })).toMatchObject({
      steps: [],
      unchangedCount: 1,
    })
  })

  it('deletes only in sections that the document has, and counts the messages that would go', async () => {
    await apply(SHOP)
    world.vhost.destinations.ensure('made.by.use')
    const { queue } = world.vhost.destinations.find('orders.eu')!
    const made = await plan({ queues: [{ name: 'paused', paused: true }], permissions: [] }, true)
    expect(lines(made)).toEqual(['delete queue orders.eu', 'delete permission ops'])
    expect(made.steps[0]!.messagesAtRisk).toBe(queue.waitingCount)
  })

  it('counts with a user what waits in sessions and subscriptions, and what was to be sent later', async () => {
    await apply({ users: [{ name: 'root', role: 'administrator', verifier: OTHER_VERIFIER }, { name: 'ann' }] })
    const { vhost } = world
    const opened = vhost.sessions.open({
      ...{ clientId: 'c', principal: { name: 'ann', anonymous: false }, cleanStart: false, expiryMs: 0 },
      ...{ creditMax: 1, will: undefined, owner: { onEvicted: () => {} } },
    })
    if (!opened.ok) throw new Error(opened.detail.text)
    const { session } = opened.value
    const pattern: Pattern = { vhost: '/', kind: 'topic', levels: ['news'] }
    session.bind({ pattern, shareName: undefined, assuranceMax: 1, noLocal: false, retained: 'never', data: {} })
    vhost.subscriptions.open({ clientId: 'c', name: 's', pattern, shared: false }, session.subject)
    const producer = session.openProducer({ onPublishSettled: () => {} })
    for (const options of [{}, { schedule: { delayMs: 1_000 } }]) {
      producer.publish(producer.target('news'), messageOf('news', 'text', {}), 0, options)
    }
    const made = await plan({ users: [{ name: 'root', role: 'administrator', verifier: OTHER_VERIFIER }] }, true)
    expect(made.steps.map(({ name, messagesAtRisk }) => [name, messagesAtRisk])).toEqual([['ann', 3]])
  })

  it('has another id when the state is another, and only then', async () => {
    const { id } = await plan(SHOP)
    await world.call(putPolicy, { params: { vhost: '/', id: 'other' }, body: { match: 'x', settings: {} } })
    expect((await plan(SHOP)).id).not.toBe(id)
    const ofQueues = (await plan({ queues: [] })).id
    await world.call(putPermission, {
      params: { id: 'p' },
      query: { everybody: 'limited' },
      body: { user: 'x', allow: ['read'], topics: ['#'] },
    })
    expect((await plan({ queues: [] })).id).toBe(ofQueues)
    expect((await plan({ queues: [] }, true)).id).not.toBe(ofQueues)
  })

  const WRONG: readonly (readonly [document: Document, field: string])[] = [
    [{ users: [{ name: 'ok' }, { name: '$x' }] }, 'definitions.users[1]'],
    [{ users: [{ name: 'x', verifier: 'secret' }] }, 'definitions.users[0]'],
    [
      { permissions: [{ id: 'p', user: 'x', allow: ['read'], topics: ['a/#/b'] }] },
      'definitions.permissions[0].topics[0]',
    ],
    [{ policies: [{ id: 'p', match: 'q', settings: { bytesMax: 1 } }] }, 'definitions.policies[0].settings.bytesMax'],
    [{ queues: [{ name: 'a' }, { name: 'a' }] }, 'definitions.queues[1]'],
    [{ queues: [{ name: '$queue/a' }] }, 'definitions.queues[0].name'],
    [{ queues: [{ name: 'a\ud800' }] }, 'definitions.queues[0].name'],
    [{ queues: [{ name: 'a', settings: { ttlMs: -1 } }] }, 'definitions.queues[0].settings.ttlMs'],
  ]
  for (const [document, field] of WRONG) {
    it(`is refused for ${JSON.stringify(document)} by the field`, async () => {
      await expect(plan(document)).rejects.toMatchObject({ code: 'INVALID', more: { field } })
    })
  }

  it('is refused when a policy is one of the configuration', async () => {
    await expect(plan({ policies: [{ id: 'config[0]', match: 'q', settings: {} }] })).rejects.toMatchObject({
      code: 'FROM_CONFIG',
      more: { field: 'definitions.policies[0]' },
    })
  })
})

describe('a document that is applied', () => {
  it('is the state, at once and after a restart', async () => {
    const applied = await apply(SHOP)
    expect(applied).toMatchObject({ left: [], done: { length: 5 } })
    expect(world.vhost.destinations.find('orders.eu')!.queue.settings).toMatchObject({ messagesMax: 10, ttlMs: 7 })
    expect(world.vhost.destinations.find('paused')!.queue.isPaused).toBe(true)
    const subject = { principal: { name: 'ann', anonymous: false }, clientId: '' }
    expect(world.authorizer.mayUse(subject, 'read', { vhost: '/', kind: 'topic', levels: ['a'] }).allowed).toBe(true)
    expect(world.notes).toEqual([
      '5 steps: create user ann, create permission ops, create policy small, create queue orders.eu, create queue paused',
    ])
    world.env.clock.settle()
    await world.restart()
    expect(await world.call(exportDefinitions)).toEqual({
      version: 1,
      ...SHOP,
      users: [...SHOP.users!, { name: 'root', role: 'administrator', verifier: VERIFIER }],
    })
    expect((await plan(SHOP, true)).steps).toEqual([])
  })

  it('is exported with just the sections that are asked for, and a name that is none is told', async () => {
    await apply(SHOP)
    const { policies, queues } = await world.call(exportDefinitions)
    expect(await world.call(exportDefinitions, { query: { only: 'queues,policies' } })).toEqual({
      version: 1,
      policies,
      queues,
    })
    await expect(world.call(exportDefinitions, { query: { only: 'queue' } })).rejects.toMatchObject({
      code: 'INVALID',
      message: "only has 'queue', which is no section; there are users, permissions, policies, queues",
    })
  })

  it('puts users together, and takes them away together with their tokens: one write for all of them', async () => {
    const change = vi.spyOn(world.users, 'change')
    const users = Array.from({ length: 1_200 }, (_, index) => ({ name: `device-${index}` }))
    const applied = await apply({ users })
    expect([applied.done.length, world.users.list().length, change.mock.calls.length]).toEqual([1_200, 1_201, 1])
    for (const user of ['device-7', 'device-8'])
      await world.call(createToken, { body: { name: 't', user, scopes: ['messages'] } })
    const commit = vi.spyOn(world.engine.catalog, 'commit')
    const { done } = await apply({ users: [users[8]!] }, { prune: true })
    expect([done.length, world.users.list().map(({ name }) => name)]).toEqual([1_199, ['root', 'device-8']])
    expect([change.mock.calls.length, commit.mock.calls.length]).toEqual([2, 1])
    expect((await world.call(listTokens)).items.map(({ user }) => user)).toEqual(['device-8'])
  })

  it('writes permissions and policies many at a time', async () => {
    const commit = vi.spyOn(world.engine.catalog, 'commit')
    const permissions = Array.from({ length: 300 }, (_, index) => ({
      id: `p${index}`,
      user: 'ann',
      allow: ['read' as const],
      topics: [`a/${index}`],
    }))
    await apply({ permissions })
    expect(commit.mock.calls.map(([ops]) => ops.length)).toEqual([128, 128, 44])
    const subject = { principal: { name: 'ann', anonymous: false }, clientId: 'c' }
    const may = (level: string): boolean =>
      world.authorizer.mayUse(subject, 'read', { vhost: '/', kind: 'topic', levels: ['a', level] }).allowed
    expect(['0', '299', '300'].map(may)).toEqual([true, true, false])
    await apply({ permissions: permissions.slice(1) }, { prune: true })
    expect(['0', '299'].map(may)).toEqual([false, true])
  })

  it('defines a queue that was made by being used', async () => {
    world.vhost.destinations.ensure('q')
    expect((await world.call(exportDefinitions)).queues).toEqual([])
    expect(lines(await plan({ queues: [{ name: 'q' }] }))).toEqual(['change queue q; made by being used → defined'])
    await apply({ queues: [{ name: 'q' }] })
    expect((await world.call(exportDefinitions)).queues).toEqual([{ name: 'q' }])
  })

  it('takes away what is not in it, last, where it is to', async () => {
    await apply(SHOP)
    const { done } = await apply(
      { permissions: [], policies: [{ id: 'new', match: 'x', settings: {} }], queues: [], users: [] },
      { prune: true, everybody: 'unlimited' },
    )
    expect(done.map(({ change, kind, name }) => `${change} ${kind} ${name}`)).toEqual([
      'create policy new',
      'delete queue orders.eu',
      'delete queue paused',
      'delete policy small',
      'delete permission ops',
      'delete user ann',
    ])
    expect(await world.call(exportDefinitions)).toMatchObject({
      permissions: [],
      policies: [{ id: 'new' }],
      queues: [],
      users: [{ name: 'root' }],
    })
  })

  it('is refused when something has changed since its plan', async () => {
    const { id } = await plan(SHOP)
    await world.call(putPolicy, { params: { vhost: '/', id: 'other' }, body: { match: 'x', settings: {} } })
    await expect(apply(SHOP, { plan: id })).rejects.toMatchObject({ code: 'CHANGED_SINCE' })
    expect(world.vhost.destinations.count).toBe(0)
    const { id: again } = await plan(SHOP)
    await apply(SHOP, { plan: again })
    await expect(apply(SHOP, { plan: again })).rejects.toMatchObject({ code: 'CHANGED_SINCE' })
  })

  it('says how far it got when a step fails, what is done counts, and the same document goes on from there', async () => {
    const commit = world.engine.catalog.commit.bind(world.engine.catalog)
    let left = 2
    world.engine.catalog.commit = (ops) => (left-- > 0 ? commit(ops) : Promise.reject(new Error('the disk is full')))
    world.define('orders.eu')
    const others = Array.from({ length: 129 }, (_, index) => ({ id: `p${index}`, match: 'x', settings: {} }))
    const document = { ...SHOP, policies: [...SHOP.policies!, ...others] }
    const applied = await apply(document)
    // So many of them are written together.
    const written = ['ann', 'ops', 'small', ...others.slice(0, 127).map(({ id }) => id)]
    expect(applied.done.map(({ name }) => name)).toEqual(written)
    expect(applied.failed).toMatchObject({
      step: { kind: 'policy', name: 'p127' },
      reason: expect.stringContaining('the disk is full') as string,
    })
    expect(applied.left.map(({ name }) => name)).toEqual(['p128', 'orders.eu', 'paused'])
    expect(world.vhost.destinations.find('orders.eu')!.queue.settings.messagesMax).toBe(10)
    expect(world.notes[0]).toMatch(
      /^130 steps: create user ann, create permission ops, create policy small, .*; stopped at policy p127, 3 left/,
    )
    left = Infinity
    const { done, failed } = await apply(document)
    expect(failed).toBeUndefined()
    expect(done.map(({ name }) => name)).toEqual(['p127', 'p128', 'orders.eu', 'paused'])
    expect((await plan(document)).steps).toEqual([])
  })

  it('is one of the moment at which it is asked for, whatever changes while it is put together', async () => {
    const queues = Array.from({ length: 1_000 }, (_, index) => ({ name: `q${String(index).padStart(4, '0')}` }))
    await apply({ queues })
    const { id } = await plan({ queues: [] }, true)
    const exported = world.call(exportDefinitions)
    const again = world.call(planDefinitions, { body: { definitions: { version: 1, queues: [] }, prune: true } })
    await Promise.resolve()
    world.vhost.destinations.delete(world.vhost.destinations.find('q0999')!)
    world.define('q0998', { ttlMs: 5 })
    world.define('later')
    expect((await exported).queues).toEqual(queues)
    expect([(await again).id, (await again).steps.length]).toEqual([id, 1_000])
    expect((await plan({ queues: [] }, true)).id).not.toBe(id)
  })

  it('leaves others their turn when it is long', async () => {
    const queues = Array.from({ length: 1_000 }, (_, index) => ({ name: `q${String(index).padStart(4, '0')}` }))
    const applying = { isDone: false }
    const applied = apply({ queues }).finally(() => (applying.isDone = true))
    await new Promise((resolve) => setImmediate(resolve))
    expect(world.vhost.destinations.count).toBeLessThan(300)
    while (!applying.isDone) {
      world.env.clock.settle()
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect((await applied).done).toHaveLength(1_000)
    expect((await world.call(exportDefinitions)).queues).toEqual(queues)
  })

  it('places policies without a place behind the others, in its own order', async () => {
    await apply({
      policies: [
        { id: 'b', match: 'x', settings: {} },
        { id: 'c', match: 'x', settings: {}, order: 7 },
        { id: 'a', match: 'x', settings: {} },
      ],
    })
    expect((await world.call(exportDefinitions)).policies!.map(({ id, order }) => [id, order])).toEqual([
      ['c', 7],
      ['b', 8],
      ['a', 9],
    ])
  })
})

describe('administrators', () => {
  const EVE = { name: 'eve', role: 'administrator', verifier: VERIFIER } as const

  it('are not left out to the last one, and nobody prunes himself', async () => {
    await world.users.put(userNamed('eve', EVE))
    expect(lines(await plan({ users: [] }, true))).toEqual(['delete user eve'])
    const asEve = await world.call(planDefinitions, {
      body: { definitions: { version: 1, users: [] }, prune: true },
      caller: callerOf('eve'),
    })
    expect(lines(asEve)).toEqual(['delete user root'])
    const asNobody = await world.call(planDefinitions, {
      body: { definitions: { version: 1, users: [] }, prune: true },
      caller: callerOf(''),
    })
    expect(lines(asNobody)).toEqual(['delete user eve'])
  })

  it('may all be replaced by another', async () => {
    const users = [{ name: 'root' }, EVE]
    expect(lines(await plan({ users }))).toEqual(['create user eve', 'change user root; role: "administrator" → none'])
    expect((await apply({ users }, { prune: true })).failed).toBeUndefined()
  })

  it('are not taken away altogether, before anything is done', async () => {
    await expect(apply({ ...SHOP, users: [{ name: 'root' }] })).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(world.vhost.destinations.count).toBe(0)
    expect(world.users.get('root')).toEqual(ROOT)
  })
})

/** Some definitions, with some of what there can be in each. */
function randomDocument(random: SeededRandom): Definitions {
  const oneOf = <T>(...values: T[]): T => values[random.below(values.length)]!
  const some = <T>(prefix: string, make: (name: string) => T): T[] =>
    Array.from({ length: 5 }, (_, index) => `${prefix}${index}`)
      .filter(() => random.below(2) === 0)
      .map(make)
  const settings = () =>
    oneOf(
      {},
      { messagesMax: 1 + random.below(3) },
      { deadLetter: '' },
      { redelivery: { delayMs: random.below(3) }, forward: { to: ['a/b'] } },
      { duplicateWindow: { seconds: 3 }, exclusive: true },
    )
  return {
    version: 1,
    users: [
      { name: 'root', role: 'administrator', verifier: VERIFIER },
      ...some('u', (name) => ({
        name,
        ...oneOf({}, { role: oneOf<Role>('viewer', 'operator', 'administrator') }),
        ...oneOf({}, { verifier: oneOf(VERIFIER, OTHER_VERIFIER) }),
        groups: oneOf([], ['a'], ['b', 'a']),
      })),
    ],
    permissions: some('p', (id) => ({
      id,
      ...oneOf({ user: oneOf('*', 'u1') }, { group: 'a' }),
      ...oneOf({ allow: ['read' as const] }, { deny: ['write' as const], allow: [] }),
      topics: oneOf(['#'], ['a/+', '$queue/>']),
      ...oneOf({}, { description: 'why' }),
    })),
    policies: some('y', (id) => ({ id, match: oneOf('>', 'q1', '*'), settings: settings(), order: random.below(3) })),
    queues: some('q', (name) => ({ name, settings: settings(), paused: oneOf(true, false) })),
  }
}

describe('whatever is defined', () => {
  const applyAll = async (to: DefinitionWorld, definitions: Definitions) => {
    const body = { definitions, prune: true }
    const { turns: everybody } = await to.call(planDefinitions, { body })
    return to.call(applyDefinitions, { body: { ...body, everybody } })
  }

  it('can be exported and applied elsewhere, which gives the same export and leaves nothing to do', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = new SeededRandom(seed)
      const one = await DefinitionWorld.open()
      // Two of them, so that there are changes and deletions too.
      for (let round = 0; round < 2; round++) {
        const definitions = randomDocument(random)
        const { failed } = await applyAll(one, definitions)
        expect(failed, `seed ${seed}`).toBeUndefined()
        expect((await one.call(planDefinitions, { body: { definitions, prune: true } })).steps, `seed ${seed}`).toEqual(
          [],
        )
      }
      const exported = await one.call(exportDefinitions)
      const other = await DefinitionWorld.open()
      await applyAll(other, exported)
      expect(await other.call(exportDefinitions), `seed ${seed}`).toEqual(exported)
      expect(
        await other.call(planDefinitions, { body: { definitions: exported, prune: true } }),
        `seed ${seed}`,
      ).toMatchObject({ steps: [] })
    }
  })
})
