import { createToken, deleteToken, listTokens, type TokenBody } from '@ternmq/api'
import { beforeEach, describe, expect, it } from 'vitest'
import { callerOf, DefinitionWorld, ROOT, userNamed } from '../../test/definition-world.ts'
import type { Caller } from '../handlers.ts'
import { TOKENS_PER_USER_MAX } from './tokens.ts'

const ANN = callerOf('ann', ['read', 'operate'], 'operator')

let world: DefinitionWorld

beforeEach(async () => {
  world = await DefinitionWorld.open({ users: [ROOT, userNamed('ann', { role: 'operator' }), userNamed('bob')] })
})

const create = (body: TokenBody, caller: Caller = callerOf('root')) => world.call(createToken, { body, caller })
const list = async (caller: Caller, query: { user?: string } = {}) =>
  (await world.call(listTokens, { caller, query })).items.map(({ name }) => name)

describe('a token', () => {
  it('is told once, lasts as its hash, and is good until it is taken back', async () => {
    const { token, ...item } = await create({ name: 'ci', scopes: ['read'] }, ANN)
    expect(item).toMatchObject({ name: 'ci', user: 'ann', scopes: ['read'] })
    expect(token).toMatch(/^tmq_[\w-]{43}$/)
    await world.restart()
    const { book } = world.parts.tokens
    expect(book.verify(token, 77)).toMatchObject({ ok: true, record: { id: item.id } })
    expect((await world.call(listTokens, { caller: ANN })).items).toEqual([{ ...item, lastUsedAtMs: 77 }])
    const entry = await world.engine.catalog.get(`definitions/token/${item.id}`)
    expect(Buffer.from(entry!.value).toString()).not.toContain(token)
    await world.call(deleteToken, { params: { id: item.id }, caller: ANN })
    expect(book.verify(token, 78).ok).toBe(false)
    expect(world.notes).toEqual(["token 'ci' of ann with read", "token 'ci' of ann"])
  })

  it('can do no more than who makes it, nor than whom it stands for', async () => {
    await expect(create({ name: 't', scopes: ['read', 'admin'] }, ANN)).rejects.toMatchObject({
      code: 'NOT_ALLOWED',
      more: { field: 'scopes', rule: 'read, operate' },
    })
    await expect(create({ name: 't', user: 'ann', scopes: ['admin'] })).rejects.toMatchObject({
      code: 'NOT_ALLOWED',
      more: { field: 'scopes', rule: 'read, operate, messages' },
    })
    await expect(create({ name: 't', user: 'bob', scopes: ['read'] })).rejects.toMatchObject({
      code: 'NOT_ALLOWED',
      more: { rule: 'messages' },
    })
    expect(await create({ name: 't', user: 'bob', scopes: ['messages'] })).toMatchObject({
      user: 'bob',
      scopes: ['messages'],
    })
  })

  it('made with one that ends does not outlast it', async () => {
    const caller: Caller = { ...ANN, by: 'token', expiresAtMs: 5_000_000_000_000 }
    for (const expiresAtMs of [undefined, 5_000_000_000_001]) {
      await expect(create({ name: 't', scopes: ['read'], expiresAtMs }, caller)).rejects.toMatchObject({
        code: 'NOT_ALLOWED',
        more: { field: 'expiresAtMs', rule: 'up to 5000000000000' },
      })
    }
    expect(await create({ name: 't', scopes: ['read'], expiresAtMs: 5_000_000_000_000 }, caller)).toMatchObject({
      expiresAtMs: 5_000_000_000_000,
    })
  })

  it('ends with the token that it was made with, also with the user of that', async () => {
    const parent = await create({ name: 'ci', user: 'ann', scopes: ['read'] })
    const withIt = { ...callerOf('root'), tokenId: parent.id }
    const child = await create({ name: 'made with it', user: 'bob', scopes: ['messages'] }, withIt)
    await create({ name: 'of a login', user: 'bob', scopes: ['messages'] })
    await world.restart()
    expect(world.parts.tokens.book.verify(child.token, 0)).toMatchObject({ ok: true })
    await world.call(deleteToken, { params: { id: parent.id } })
    expect(world.notes.at(-1)).toBe("token 'ci' of ann, and 1 made with it")
    expect(world.parts.tokens.book.verify(child.token, 0)).toMatchObject({ ok: false })
    await world.restart()
    expect(await list(callerOf('root'))).toEqual(['of a login'])
  })

  it('is not made when the one that it is made with is taken back meanwhile', async () => {
    const parent = await create({ name: 'ci', scopes: ['read'] })
    const caller = { ...callerOf('root'), tokenId: parent.id }
    const child = create({ name: 'late', scopes: ['read'] }, caller)
    world.parts.tokens.book.remove(parent.id)
    await expect(child).rejects.toMatchObject({ code: 'NOT_LOGGED_IN' })
    await world.restart()
    expect(await list(callerOf('root'))).toEqual(['ci'])
  })

  it('takes back none that can do more', async () => {
    const { id } = await create({ name: 'ci', scopes: ['read', 'operate'] }, ANN)
    const monitor: Caller = { ...ANN, by: 'token', scopes: new Set(['read']) }
    await expect(world.call(deleteToken, { params: { id }, caller: monitor })).rejects.toMatchObject({
      code: 'NOT_ALLOWED',
      more: { field: 'id', rule: 'operate' },
    })
    await world.call(deleteToken, { params: { id }, caller: { ...ANN, by: 'token' } })
    expect(await list(ANN)).toEqual([])
  })

  it('for somebody else takes an administrator', async () => {
    await expect(create({ name: 't', user: 'bob', scopes: ['read'] }, ANN)).rejects.toMatchObject({
      code: 'NOT_ALLOWED',
      more: { field: 'user' },
    })
  })

  it('stands for a user that there is', async () => {
    await expect(create({ name: 't', user: 'nobody', scopes: ['read'] })).rejects.toMatchObject({
      code: 'USER_UNKNOWN',
      more: { field: 'user' },
    })
  })

  const REFUSED: readonly (readonly [body: TokenBody, more: object])[] = [
    [
      { name: '', scopes: ['read'] },
      { field: 'name', value: '' },
    ],
    [
      { name: 't', scopes: [] },
      { field: 'scopes', value: [] },
    ],
    [
      { name: 't', scopes: ['read'], expiresAtMs: 1 },
      { field: 'expiresAtMs', value: 1 },
    ],
  ]
  for (const [body, more] of REFUSED) {
    it(`is refused as ${JSON.stringify(body)} with field and value`, async () => {
      await expect(create(body)).rejects.toMatchObject({
        code: 'INVALID',
        more: { rule: expect.any(String) as string, ...more },
      })
    })
  }

  it('has a name as long as the rule says, and no longer', async () => {
    await create({ name: 'n'.repeat(100), scopes: ['read'] })
    const longer = create({ name: 'n'.repeat(101), scopes: ['read'] })
    await expect(longer).rejects.toMatchObject({
      code: 'INVALID',
      more: { field: 'name', rule: '1 to 100 characters' },
    })
  })

  it('is one of a bounded number for each user', async () => {
    for (let count = 0; count < TOKENS_PER_USER_MAX; count++) await create({ name: `t${count}`, scopes: ['read'] }, ANN)
    await expect(create({ name: 'more', scopes: ['read'] }, ANN)).rejects.toMatchObject({ code: 'LIMIT_REACHED' })
    await create({ name: 'roots', scopes: ['read'] })
  })

  it("is seen and taken back by its user, others' by administrators only", async () => {
    const { id } = await create({ name: 'roots', scopes: ['read'] })
    await create({ name: 'anns', scopes: ['read'] }, ANN)
    expect(await list(ANN)).toEqual(['anns'])
    expect(await list(ANN, { user: 'root' })).toEqual([])
    expect(await list(callerOf('root'))).toEqual(['roots', 'anns'])
    expect(await list(callerOf('root'), { user: 'ann' })).toEqual(['anns'])
    await expect(world.call(deleteToken, { params: { id }, caller: ANN })).rejects.toMatchObject({
      code: 'TOKEN_UNKNOWN',
    })
    await world.call(deleteToken, { params: { id } })
  })

  it('does not come back with a user who was removed and made again while no broker ran', async () => {
    const { token } = await create({ name: 'ci', scopes: ['read'] }, ANN)
    await world.users.remove('ann')
    await world.users.put(userNamed('ann', { role: 'administrator', createdAtMs: world.env.clock.wallMs() + 1 }))
    await world.restart()
    expect(world.parts.tokens.book.verify(token, 0).ok).toBe(false)
    expect(world.definitions.tokens.all.size).toBe(0)
  })

  it('is good no more when somebody else has removed its user', async () => {
    const { token } = await create({ name: 'ci', scopes: ['read'] }, ANN)
    await world.users.remove('ann')
    await world.users.put(userNamed('ann', { role: 'operator', createdAtMs: world.env.clock.wallMs() + 1 }))
    expect(world.parts.tokens.book.verify(token, 0).ok).toBe(false)
  })

  it('is good no more from the moment it is taken back, also when the store fails', async () => {
    const { token, id } = await create({ name: 'ci', scopes: ['read'] }, ANN)
    await world.engine.close()
    await expect(world.call(deleteToken, { params: { id } })).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(world.parts.tokens.book.verify(token, 0).ok).toBe(false)
  })
})
