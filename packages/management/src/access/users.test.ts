import { createToken, deleteUser, listTokens, listUsers, putUser, type UserBody } from '@ternmq/api'
import { parsePasswordVerifier } from '@ternmq/auth'
import { beforeEach, describe, expect, it } from 'vitest'
import { DefinitionWorld, ROOT, userNamed, VERIFIER } from '../../test/definition-world.ts'

let world: DefinitionWorld

beforeEach(async () => {
  world = await DefinitionWorld.open()
})

const put = (name: string, body: UserBody, query: { ifNew?: boolean; ifKnown?: boolean } = {}) =>
  world.call(putUser, { params: { name }, body, query })
const remove = (name: string) => world.call(deleteUser, { params: { name } })

describe('a user', () => {
  it('is made with a password, a role and groups, and the password is only kept as its hash', async () => {
    const item = await put('ann', { password: 'secret', role: 'operator', groups: ['ops'] })
    expect(item).toMatchObject({
      name: 'ann',
      role: 'operator',
      groups: ['ops'],
      password: true,
      scram: false,
      connectionCount: 0,
    })
    const record = world.users.get('ann')!
    expect(() => parsePasswordVerifier(record.verifier!)).not.toThrow()
    expect(world.notes).toEqual(['password set, role operator, groups ops'])
    expect(JSON.stringify([item, world.notes])).not.toContain('secret')
  })

  it('keeps its tokens with another password, and whoever sets that hears how many are good', async () => {
    await put('ann', { password: 'secret', role: 'operator' })
    const nowMs = world.broker.vhost.env.clock.wallMs()
    for (const name of ['a', 'b', 'c']) {
      const expiresAtMs = name === 'c' ? nowMs + 1 : undefined
      await world.call(createToken, { body: { name, user: 'ann', scopes: ['read'], expiresAtMs } })
    }
    expect(await put('ann', { password: 'another' })).toMatchObject({ tokenCount: 3 })
    world.env.clock.advance(1)
    expect(await put('ann', { password: 'a third' })).toMatchObject({ tokenCount: 2 })
    const { items } = await world.call(listUsers, { query: { q: 'ann' } })
    expect(items).toMatchObject([{ name: 'ann', tokenCount: 2 }])
  })

  it('keeps what a change leaves out', async () => {
    await put('ann', { password: 'secret', role: 'operator', groups: ['ops'] })
    const { verifier } = world.users.get('ann')!
    await put('ann', { role: null })
    expect(world.users.get('ann')).toMatchObject({ groups: ['ops'], verifier })
    expect(world.users.get('ann')).not.toHaveProperty('role')
    await put('ann', { password: null })
    expect(world.users.get('ann')).not.toHaveProperty('verifier')
    expect(world.users.get('ann')).toMatchObject({ groups: ['ops'] })
  })

  it('without a password comes with a certificate', async () => {
    expect(await put('device', {})).toMatchObject({ password: false, groups: [] })
  })

  it('is not changed by who means to add one', async () => {
    await put('ann', { groups: ['ops'] }, { ifNew: true })
    await expect(put('ann', { groups: [] }, { ifNew: true })).rejects.toMatchObject({
      code: 'EXISTS',
      more: { field: 'name', value: 'ann' },
    })
    expect(world.users.get('ann')!.groups).toEqual(['ops'])
  })

  it('is not made by who means to change one', async () => {
    await expect(put('ann', { groups: [] }, { ifKnown: true })).rejects.toMatchObject({ code: 'USER_UNKNOWN' })
    await put('ann', { groups: ['ops'] })
    expect(await put('ann', { groups: [] }, { ifKnown: true })).toMatchObject({ groups: [] })
  })

  const REFUSED: readonly (readonly [name: string, body: UserBody, more: object])[] = [
    ['$ann', {}, { field: 'name', value: '$ann' }],
    ['anonymous', { groups: ['ops'] }, { field: 'name', value: 'anonymous' }],
    ['ann', { groups: ['a', 'a'] }, { field: 'groups', value: ['a', 'a'] }],
    ['ann', { password: '' }, { field: 'password' }],
    ['ann', { password: 'x'.repeat(2_000) }, { field: 'password' }],
  ]
  for (const [name, body, more] of REFUSED) {
    it(`is refused as ${JSON.stringify({ name, ...body }).slice(0, 60)} with the field`, async () => {
      const error: unknown = await put(name, body).catch((refused: unknown) => refused)
      expect(error).toMatchObject({ code: 'INVALID', more: { rule: expect.any(String) as string, ...more } })
      expect(JSON.stringify(error)).not.toContain('xxxx')
      expect(world.users.get(name)).toBeUndefined()
    })
  }

  it('has as long a name, as many groups and as long a password as the rules say, and no more', async () => {
    const groups = Array.from({ length: 32 }, (_, index) => `g${index}`)
    await put('n'.repeat(256), { groups, password: 'p'.repeat(1_024) })
    for (const [name, body, rule] of [
      ['n'.repeat(257), {}, '1 to 256 characters'],
      ['ann', { groups: [...groups, 'g'] }, 'up to 32 names'],
      ['ann', { password: 'p'.repeat(1_025) }, '1 to 1,024 bytes'],
    ] as const) {
      const error: unknown = await put(name, body).catch((refused: unknown) => refused)
      expect(error).toMatchObject({ code: 'INVALID', more: { rule: expect.stringContaining(rule) as string } })
    }
  })

  it('goes with its tokens, which are gone even if the name is given again', async () => {
    await put('ann', { password: 'secret', role: 'viewer' })
    const { token } = await world.call(createToken, { body: { name: 't', user: 'ann', scopes: ['read'] } })
    const { book } = world.parts.tokens
    expect(book.verify(token, 0).ok).toBe(true)
    await remove('ann')
    expect(book.verify(token, 0)).toEqual({ ok: false, reason: 'unknown' })
    await put('ann', { role: 'viewer' })
    await world.restart()
    expect((await world.call(listTokens)).items).toEqual([])
  })

  it('that is not there cannot be removed', async () => {
    await expect(remove('nobody')).rejects.toMatchObject({ code: 'USER_UNKNOWN' })
  })
})

describe('the last administrator', () => {
  it('is not removed, and loses neither role nor password', async () => {
    for (const change of [
      () => remove('root'),
      () => put('root', { role: 'operator' }),
      () => put('root', { role: null }),
      () => put('root', { password: null }),
    ]) {
      await expect(change()).rejects.toMatchObject({
        code: 'CONFLICT',
        message: "nobody would be left who can log in as administrator; now 'root' can: make another one first",
      })
    }
    expect(world.users.get('root')).toEqual(ROOT)
  })

  it('is not one who could not log in', async () => {
    await world.users.put(userNamed('device', { role: 'administrator' }))
    await expect(remove('root')).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('may go when there is another one', async () => {
    await put('eve', { password: 'secret', role: 'administrator' })
    await put('root', { role: null })
    await expect(remove('eve')).rejects.toMatchObject({ code: 'CONFLICT' })
    await remove('root')
  })

  it('is guarded against two who remove one another', async () => {
    await world.users.put(userNamed('eve', { role: 'administrator', verifier: VERIFIER }))
    const both = await Promise.allSettled([remove('root'), remove('eve')])
    expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  })

  it('holds up nobody where there is none', async () => {
    world = await DefinitionWorld.open({ users: [userNamed('ann')] })
    await remove('ann')
    expect(world.users.list()).toEqual([])
  })
})

describe('the list of users', () => {
  it('is sorted, found by group and cut into pages', async () => {
    for (const [name, group] of [
      ['cid', 'ops'],
      ['ann', 'ops'],
      ['bob', 'dev'],
    ] as const)
      await put(name, { groups: [group] })
    const names = async (query: object): Promise<string[]> =>
      (await world.call(listUsers, { query })).items.map(({ name }) => name)
    expect(await names({})).toEqual(['ann', 'bob', 'cid', 'root'])
    expect(await names({ group: 'ops' })).toEqual(['ann', 'cid'])
    expect(await names({ q: 'OPS', sort: '-name' })).toEqual(['cid', 'ann'])
    const page = await world.call(listUsers, { query: { limit: 2 } })
    expect(page).toMatchObject({ total: 4, next: expect.any(String) as string })
    expect(await names({ cursor: page.next })).toEqual(['cid', 'root'])
  })
})
