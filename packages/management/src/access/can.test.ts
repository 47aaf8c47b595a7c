import { can, type CanQuery, putPermission } from '@ternmq/api'
import { beforeEach, describe, expect, it } from 'vitest'
import { DefinitionWorld, ROOT, userNamed } from '../../test/definition-world.ts'

let world: DefinitionWorld

beforeEach(async () => {
  const rules = [
    { user: '*', allow: [], deny: ['read' as const], topics: ['secret/#'] },
    { user: 'ann', allow: ['write' as const, 'read' as const], deny: [], topics: ['a/#', '$queue/>'] },
  ]
  world = await DefinitionWorld.open({ config: { auth: { rules } }, users: [ROOT, userNamed('ann')] })
})

const ask = (query: Partial<CanQuery>) =>
  world.call(can, { query: { user: 'ann', action: 'publish', address: 'a/b', protocol: 'mqtt', ...query } })

describe('can', () => {
  it('says yes with the rule that decided, and what the others have to do with it', async () => {
    expect(await ask({})).toEqual({
      allowed: true,
      rule: 'auth.rules[1] allows write on "a/#" for "ann"',
      address: 'a/b',
      others: [
        { rule: 'auth.rules[0] denies read on "secret/#" for "*"', because: expect.any(String) as string },
        { rule: 'auth.rules[1] allows write on "$queue/>" for "ann"', because: 'is about queues' },
      ],
      notes: ["mqtt means topic 'a/b'"],
    })
  })

  it('says no with the rule, also where none applies', async () => {
    expect(await ask({ action: 'subscribe', address: 'secret/#' })).toMatchObject({
      allowed: false,
      rule: 'auth.rules[0] denies read on "secret/#" for "*"',
      address: 'secret/#',
    })
    expect(await ask({ address: 'b' })).toMatchObject({
      allowed: false,
      rule: 'no rule of auth.rules applies: auth.defaultAccess is deny',
    })
  })

  it('says of a queue that is not there that who only reads does not make it', async () => {
    const body = { user: 'bob', allow: ['read' as const], topics: ['$queue/new'] }
    await world.call(putPermission, { params: { id: 'bobs' }, body })
    const query = { user: 'bob', action: 'subscribe', address: '$queue/new' } as const
    const before = await ask(query)
    expect([before.allowed, before.notes.join()]).toEqual([false, expect.stringContaining('does not exist') as string])
    world.define('new')
    expect((await ask(query)).allowed).toBe(true)
  })

  it('says which part of a subscription is denied', async () => {
    const answer = await ask({ action: 'subscribe', address: '#' })
    expect(answer.allowed).toBe(false)
    expect(answer.rule).toContain('which is part of what was asked for')
  })

  it('counts permissions of the API at once', async () => {
    expect((await ask({ user: 'bob' })).allowed).toBe(false)
    await world.call(putPermission, {
      params: { id: 'bobs' },
      body: { user: 'bob', allow: ['write'], topics: ['a/+'] },
    })
    expect(await ask({ user: 'bob' })).toMatchObject({
      allowed: true,
      rule: `permission 'bobs' allows write on "a/+" for "bob"`,
    })
  })

  it('reads the address as the protocol does, and makes no queue', async () => {
    expect(await ask({ protocol: undefined, address: 'orders', action: 'browse' })).toMatchObject({
      allowed: true,
      address: '$queue/orders',
      notes: ["rest means queue 'orders'"],
    })
    expect(await ask({ protocol: 'stomp', address: '/topic/a.b' })).toMatchObject({ allowed: true, address: 'a/b' })
    expect(world.vhost.destinations.count).toBe(0)
  })

  it('says of the API what role and rules come to: a role manages what no rule takes from it', async () => {
    for (const name of ['olga', 'otto']) await world.users.put(userNamed(name, { role: 'operator' }))
    await world.call(putPermission, {
      params: { id: 'not-otto' },
      body: { user: 'otto', deny: ['admin'], topics: ['$queue/pay.>'] },
    })
    const manage = (user: string, address = 'pay.x') => ask({ user, action: 'admin', address, protocol: undefined })
    expect(await manage('olga')).toMatchObject({ allowed: true, rule: 'the role operator: no rule denies admin of it' })
    expect(await manage('otto')).toMatchObject({
      allowed: false,
      rule: `permission 'not-otto' denies admin on "$queue/pay.>" for "otto"`,
    })
    expect(await manage('otto', 'other')).toMatchObject({ allowed: true })
    expect(await manage('root')).toMatchObject({ allowed: true, rule: 'the role administrator is above rules' })
    expect(await manage('ann')).toMatchObject({ allowed: false, rule: expect.stringContaining('no role') as string })
    expect(await ask({ user: 'root', action: 'browse', address: 'pay.x', protocol: undefined })).toMatchObject({
      allowed: true,
    })
    expect(await ask({ user: 'olga', action: 'admin', address: '$queue/pay.x' })).toMatchObject({ allowed: false })
  })

  it('tells that there is no such user', async () => {
    expect((await ask({ user: 'bobb' })).notes[1]).toContain("there is no user 'bobb'")
    expect((await ask({ user: 'anonymous' })).notes).toHaveLength(1)
  })

  it("knows that names with '$' are the broker's own", async () => {
    await world.call(putPermission, {
      params: { id: 'all' },
      body: { user: 'ann', allow: ['write'], topics: ['$SYS/#'] },
    })
    expect(await ask({ address: '$SYS/x' })).toMatchObject({
      allowed: false,
      rule: expect.stringContaining("broker's own") as string,
    })
  })

  it('knows that readers of a virtual topic need the topic', async () => {
    const address = '$queue/Consumer.g.VirtualTopic.x'
    expect(await ask({ action: 'subscribe', address })).toMatchObject({
      allowed: false,
      notes: [expect.any(String), expect.stringContaining("published to topic 'VirtualTopic/x'")] as string[],
    })
    await world.call(putPermission, {
      params: { id: 'vt' },
      body: { user: 'ann', allow: ['read'], topics: ['VirtualTopic/#'] },
    })
    expect((await ask({ action: 'subscribe', address })).allowed).toBe(true)
    expect((await ask({ action: 'publish', address })).allowed).toBe(true)
  })

  it('refuses an address that means nothing, and what rules do not decide', async () => {
    await expect(ask({ address: 'a/#/b', action: 'subscribe' })).rejects.toMatchObject({
      code: 'INVALID',
      more: { field: 'address', value: 'a/#/b' },
    })
    await expect(ask({ protocol: 'stomp', address: '/queue/a,/queue/b' })).rejects.toMatchObject({
      code: 'INVALID',
      more: { field: 'address' },
    })
  })
})
