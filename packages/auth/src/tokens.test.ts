import { describe, expect, it } from 'vitest'
import { checkTokenRecord, makeToken, SCOPES_OF_ROLE, TokenBook } from './tokens.ts'
import type { NewToken, TokenRecord } from './tokens.ts'

const NEW: NewToken = { name: 'ci', user: 'ann', scopes: ['read', 'messages'], nowMs: 1_000 }

describe('makeToken', () => {
  it('makes a token of 32 random bytes and a record from which it cannot be had', () => {
    const { token, record } = makeToken(NEW)
    expect(token).toMatch(/^tmq_[A-Za-z0-9_-]{43}$/)
    expect(Buffer.from(token.slice(4), 'base64url')).toHaveLength(32)
    expect(JSON.stringify(record)).not.toContain(token.slice(4))
    expect(record).toMatchObject({ name: 'ci', user: 'ann', scopes: ['read', 'messages'], createdAtMs: 1_000 })
    expect(makeToken(NEW).token).not.toBe(token)
  })

  it('names each scope once', () => {
    expect(makeToken({ ...NEW, scopes: ['admin', 'read', 'admin'] }).record.scopes).toEqual(['read', 'admin'])
  })

  const BAD: readonly (readonly [change: Partial<NewToken>, problem: string])[] = [
    [{ scopes: [] }, 'scopes that are not one or more of read, operate, admin, messages'],
    [{ name: '' }, 'no name of 1 to 100 characters'],
    [{ name: 'x'.repeat(101) }, 'no name of 1 to 100 characters'],
    [{ user: '*' }, 'stands for user "*", which has a meaning'],
    [{ expiresAtMs: 1_000 }, 'would have expired already'],
    [{ expiresAtMs: 1_000.5 }, 'not in Unix milliseconds'],
  ]
  for (const [change, problem] of BAD) {
    it(`refuses one because it has ${problem}`, () => {
      expect(() => makeToken({ ...NEW, ...change })).toThrow(problem)
      expect(() => makeToken({ ...NEW, ...change })).toThrow(expect.objectContaining({ code: 'AUTH_TOKEN_INVALID' }))
    })
  }
})

describe('checkTokenRecord', () => {
  const { record } = makeToken({ ...NEW, expiresAtMs: 5_000 })

  it('takes what was stored', () => {
    expect(checkTokenRecord(JSON.parse(JSON.stringify(record)), 'tokens[0]')).toEqual(record)
  })

  const BAD: readonly (readonly [value: unknown, problem: string])[] = [
    [null, 'is not an object'],
    [[], 'is not an object'],
    [{ ...record, token: 'x' }, 'unknown field "token"'],
    [{ ...record, id: 7 }, 'has no id'],
    [{ ...record, sha256: record.sha256.toUpperCase() }, 'has no sha256'],
    [{ ...record, scopes: ['read', 'read'] }, 'each once'],
    [{ ...record, scopes: ['fly'] }, 'each once'],
    [{ ...record, user: undefined }, 'has no user'],
    [{ ...record, createdAtMs: -1 }, 'has no createdAtMs'],
    [{ ...record, expiresAtMs: 'soon' }, 'has an expiresAtMs'],
    [{ ...record, madeWith: '' }, 'has a madeWith'],
  ]
  for (const [value, problem] of BAD) {
    it(`refuses a record that ${problem}, without telling the hash`, () => {
      expect(() => checkTokenRecord(value, 'tokens[3]')).toThrow(`tokens[3] `)
      expect(() => checkTokenRecord(value, 'tokens[3]')).toThrow(problem)
      expect(() => checkTokenRecord(value, 'tokens[3]')).not.toThrow(record.sha256)
    })
  }
})

describe('TokenBook', () => {
  it('knows a token until it is removed, and when it was last used', () => {
    const book = new TokenBook()
    const { token, record } = makeToken(NEW)
    expect(book.verify(token, 2_000)).toEqual({ ok: false, reason: 'unknown' })
    book.put(record)
    expect(book.lastUsedAtMs(record.id)).toBeUndefined()
    expect(book.verify(token, 2_000)).toEqual({ ok: true, record })
    expect(book.lastUsedAtMs(record.id)).toBe(2_000)
    expect(book.remove(record.id)).toEqual([record.id])
    expect(book.remove(record.id)).toEqual([])
    expect(book.verify(token, 3_000)).toEqual({ ok: false, reason: 'unknown' })
    expect([book.find(record.id), book.lastUsedAtMs(record.id)]).toEqual([undefined, undefined])
  })

  it('refuses a token from the moment it expires', () => {
    const { token, record } = makeToken({ ...NEW, expiresAtMs: 5_000 })
    const book = new TokenBook([record])
    expect(book.verify(token, 4_999)).toMatchObject({ ok: true })
    expect(book.verify(token, 5_000)).toEqual({ ok: false, reason: 'expired' })
    expect(book.lastUsedAtMs(record.id)).toBe(4_999)
  })

  it('does not take anything else for a token', () => {
    const { token, record } = makeToken(NEW)
    const book = new TokenBook([record])
    const last = token.endsWith('A') ? 'E' : 'A'
    for (const text of [
      '',
      'tmq_',
      token.slice(4),
      `${token} `,
      token.slice(0, -1),
      token.slice(0, -1) + last,
      record.sha256,
      record.id,
    ]) {
      expect(book.verify(text, 2_000)).toEqual({ ok: false, reason: 'unknown' })
    }
  })

  it('tells tokens apart whose hashes begin alike', () => {
    const one = makeToken(NEW)
    const other: TokenRecord = { ...one.record, id: 'other', sha256: one.record.sha256.slice(0, 8) + '0'.repeat(56) }
    const book = new TokenBook([other, one.record])
    expect(book.verify(one.token, 2_000)).toEqual({ ok: true, record: one.record })
    book.remove('other')
    expect(book.verify(one.token, 2_000)).toEqual({ ok: true, record: one.record })
  })

  it('takes back with a token all that was made with it, whoever has it, and tells of each', () => {
    const parent = makeToken(NEW)
    const child = makeToken({ ...NEW, user: 'bob', madeWith: parent.record.id })
    const grandchild = makeToken({ ...NEW, madeWith: child.record.id })
    const other = makeToken(NEW)
    const book = new TokenBook([parent, child, grandchild, other].map(({ record }) => record))
    const heard: string[] = []
    book.onRemoved(({ id }) => heard.push(`${id} ${String(book.isGood(id, 2_000))}`))
    const ids = [parent, child, grandchild].map(({ record }) => record.id)
    expect(book.remove(parent.record.id)).toEqual(ids)
    expect(heard).toEqual(ids.map((id) => `${id} false`))
    expect(book.verify(grandchild.token, 2_000)).toEqual({ ok: false, reason: 'unknown' })
    expect(book.list()).toEqual([other.record])
  })

  it('says of one whether it is good without noting a use', () => {
    const { record } = makeToken({ ...NEW, expiresAtMs: 5_000 })
    const book = new TokenBook([record])
    expect([book.isGood(record.id, 4_999), book.isGood(record.id, 5_000)]).toEqual([true, false])
    expect([book.isGood('other', 1), book.lastUsedAtMs(record.id)]).toEqual([false, undefined])
  })

  it('lists those of a user, or all', () => {
    const ann = makeToken(NEW).record
    const bob = makeToken({ ...NEW, user: 'bob' }).record
    const book = new TokenBook([ann, bob])
    expect(book.list()).toEqual([ann, bob])
    expect(book.list('bob')).toEqual([bob])
    expect(book.find(ann.id)).toEqual(ann)
  })

  it('replaces the one with the same id, whose old token is good no more', () => {
    const { token, record } = makeToken(NEW)
    const next = makeToken(NEW)
    const book = new TokenBook([record])
    book.put({ ...next.record, id: record.id })
    expect(book.verify(token, 2_000).ok).toBe(false)
    expect(book.verify(next.token, 2_000)).toMatchObject({ ok: true, record: { id: record.id } })
    expect(book.list()).toHaveLength(1)
  })

  it('refuses one token too many, naming it, and still replaces those it has', () => {
    const { record } = makeToken(NEW)
    const book = new TokenBook(
      Array.from({ length: 10_000 }, (_, index): TokenRecord => ({ ...record, id: `t${index}` })),
    )
    expect(() => book.put(record)).toThrow('token "ci" of "ann" not made: 10000 tokens are the limit')
    book.put({ ...record, id: 't5', name: 'renamed' })
    expect(book.find('t5')?.name).toBe('renamed')
  })
})

describe('SCOPES_OF_ROLE', () => {
  it('gives each role what the one below has, and an administrator everything', () => {
    expect(SCOPES_OF_ROLE).toEqual({
      viewer: ['read'],
      operator: ['read', 'operate'],
      administrator: ['read', 'operate', 'admin', 'messages'],
    })
  })
})
