import { type AccessTurn, deletePermission, listPermissions, type PermissionBody, putPermission } from '@ternmq/api'
import { beforeEach, describe, expect, it } from 'vitest'
import { DefinitionWorld } from '../../test/definition-world.ts'

let world: DefinitionWorld

beforeEach(async () => {
  const rules = [{ user: 'ann', allow: ['write' as const], deny: [], topics: ['a/#'] }]
  world = await DefinitionWorld.open({ config: { auth: { rules } } })
})

const put = (id: string, body: PermissionBody) => world.call(putPermission, { params: { id }, body })
const may = (user: string, action: 'read' | 'write'): string => {
  const subject = { principal: { name: user, anonymous: false }, clientId: 'c' }
  const { allowed, rule } = world.authorizer.mayUse(subject, action, { vhost: '/', kind: 'topic', levels: ['a', 'b'] })
  return `${allowed ? 'yes' : 'no'}: ${rule}`
}

describe('a permission', () => {
  it('counts as soon as it is made, changed and taken back, and after a restart', async () => {
    const { generation } = world.authorizer
    expect(may('bob', 'read')).toMatch(/^no: no rule of auth\.rules applies/)
    const item = await put('bobs', { user: 'bob', allow: ['read'], topics: ['a/+'], description: 'for Bob' })
    expect(item).toEqual({
      id: 'bobs',
      description: 'for Bob',
      user: 'bob',
      allow: ['read'],
      deny: [],
      topics: ['a/+'],
      from: 'api',
    })
    expect(may('bob', 'read')).toBe(`yes: permission 'bobs' allows read on "a/+" for "bob"`)
    expect(world.authorizer.generation).toBeGreaterThan(generation)
    await world.restart()
    expect(may('bob', 'read')).toMatch(/^yes/)
    await put('bobs', { user: 'bob', deny: ['read'], topics: ['#'] })
    expect(may('bob', 'read')).toMatch(/^no: permission 'bobs' denies read/)
    await world.call(deletePermission, { params: { id: 'bobs' } })
    expect(may('bob', 'read')).toMatch(/^no: no rule of/)
    expect(world.notes).toEqual(['user bob: allow read on a/+', 'user bob: deny read on #'])
  })

  it('reaches a group', async () => {
    await world.users.put({ name: 'eve', groups: ['ops'], createdAtMs: 1, changedAtMs: 1 })
    await put('ops', { group: 'ops', allow: ['read', 'admin'], topics: ['#'] })
    expect(may('eve', 'read')).toMatch(/^yes: permission 'ops'/)
    expect(may('bob', 'read')).toMatch(/^no/)
  })

  it('is listed behind the rules of the configuration, which are changed there', async () => {
    await put('p', { user: 'ann', allow: ['read'], topics: ['#'] })
    const { items, defaultAccess } = await world.call(listPermissions)
    expect(items.map(({ id, from }) => [id, from])).toEqual([
      ['auth.rules[0]', 'config'],
      ['p', 'api'],
    ])
    expect(defaultAccess).toBe('deny')
    await expect(put('auth.rules[0]', { user: 'ann', allow: ['read'], topics: ['#'] })).rejects.toMatchObject({
      code: 'FROM_CONFIG',
    })
    await expect(world.call(deletePermission, { params: { id: 'auth.rules[0]' } })).rejects.toMatchObject({
      code: 'FROM_CONFIG',
    })
  })

  it('is found by its user or its group', async () => {
    await put('g', { group: 'ops', allow: ['read'], topics: ['#'] })
    await put('b', { user: 'bob', allow: ['read'], topics: ['#'] })
    const ids = async (query: { user?: string; group?: string }): Promise<string[]> =>
      (await world.call(listPermissions, { query })).items.map(({ id }) => id)
    expect(await ids({ user: 'bob' })).toEqual(['b'])
    expect(await ids({ group: 'ops' })).toEqual(['g'])
    expect(await ids({ group: 'none' })).toEqual([])
  })

  it('that is not there cannot be taken back', async () => {
    await expect(world.call(deletePermission, { params: { id: 'p' } })).rejects.toMatchObject({
      code: 'PERMISSION_UNKNOWN',
    })
  })

  const REFUSED: readonly (readonly [id: string, body: PermissionBody, more: object])[] = [
    ['a b', { user: 'bob', allow: ['read'], topics: ['#'] }, { field: 'id', value: 'a b' }],
    ['p', { allow: ['read'], topics: ['#'] }, { field: 'user' }],
    ['p', { user: 'bob', group: 'ops', allow: ['read'], topics: ['#'] }, { field: 'user', value: 'bob' }],
    ['p', { user: '$x', allow: ['read'], topics: ['#'] }, { field: 'user', value: '$x' }],
    ['p', { group: '', allow: ['read'], topics: ['#'] }, { field: 'group', value: '' }],
    ['p', { user: 'bob', topics: ['#'] }, { field: 'allow', value: [] }],
    ['p', { user: 'bob', allow: ['read'], topics: [] }, { field: 'topics', value: [] }],
    ['p', { user: 'bob', allow: ['read'], topics: ['ok', 'a/#/b'] }, { field: 'topics[1]', value: 'a/#/b' }],
  ]
  for (const [id, body, more] of REFUSED) {
    it(`is refused as ${JSON.stringify({ id, ...body })} with field and value`, async () => {
      await expect(put(id, body)).rejects.toMatchObject({
        code: 'INVALID',
        more: { rule: expect.any(String) as string, ...more },
      })
      expect(world.definitions.permissions.all.size).toBe(0)
    })
  }

  it('that the store did not take does not count', async () => {
    await world.engine.close()
    await expect(put('p', { user: 'bob', allow: ['read'], topics: ['#'] })).rejects.toMatchObject({
      code: 'STORE_FAILED',
    })
    expect(may('bob', 'read')).toMatch(/^no/)
  })
})

describe('the first permission, and the last one, where the configuration has no rules', () => {
  const body = { user: 'bob', allow: ['read'] as const, topics: ['a/+'] }
  const set = (id: string, everybody?: AccessTurn) =>
    world.call(putPermission, { params: { id }, query: { everybody }, body })
  const remove = (id: string, everybody?: AccessTurn) =>
    world.call(deletePermission, { params: { id }, query: { everybody } })

  it('turn what holds for everybody, and are made and taken back only for who says so', async () => {
    world = await DefinitionWorld.open()
    for (const said of [undefined, 'unlimited'] as const) {
      await expect(set('p', said)).rejects.toMatchObject({
        code: 'TURNS_ACCESS',
        message:
          'with the first permission, what no permission allows is denied, to those who are connected too; until now everybody may do everything; if that is meant, say so with everybody: limited',
        more: { field: 'everybody', value: said, rule: "'limited'" },
      })
    }
    expect(may('ann', 'write')).toMatch(/^yes: there are no permissions/)
    await set('p', 'limited')
    expect(may('ann', 'write')).toMatch(/^no/)
    await set('p')
    await set('q')
    await remove('p')
    for (const said of [undefined, 'limited'] as const) {
      await expect(remove('q', said)).rejects.toMatchObject({
        code: 'TURNS_ACCESS',
        more: { field: 'everybody', value: said, rule: "'unlimited'" },
      })
    }
    expect(may('ann', 'write')).toMatch(/^no/)
    await remove('q', 'unlimited')
    expect(may('ann', 'write')).toMatch(/^yes/)
  })

  it('turn nothing where the default allows', async () => {
    world = await DefinitionWorld.open({ config: { auth: { defaultAccess: 'allow' } } })
    await set('p')
    await expect(remove('p')).resolves.toEqual({})
  })
})
