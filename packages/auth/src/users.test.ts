import { describe, expect, it } from 'vitest'
import { parsePasswordVerifier, verifyPassword } from './password.ts'
import { parseScramVerifier } from './scram-verifier.ts'
import { MemoryUserStore, changesGroups, checkUserRecord, makeUser, userNameProblem, withAccess } from './users.ts'
import type { UserChange, UserRecord } from './users.ts'

const CHEAP = { ln: 10, r: 8, p: 1 }
const bytes = (text: string): Buffer => Buffer.from(text)
const user = (name: string, changedAtMs = 1): UserRecord => ({ name, groups: [], createdAtMs: 1, changedAtMs })

describe('user names', () => {
  const VALID = [
    'a',
    'ann',
    'a b',
    'ann+alerts@example.org',
    'spiffe://example.org/device/7',
    '#',
    '+',
    'Müller',
    '用户',
    'Anonymous',
  ]
  for (const name of VALID) {
    it(`may be ${JSON.stringify(name)}`, () => {
      expect(userNameProblem(name)).toBeUndefined()
    })
  }

  it('may have 256 characters, counted as people count', () => {
    expect(userNameProblem('\u{1f511}'.repeat(256))).toBeUndefined()
    expect(userNameProblem('x'.repeat(257))).toContain('more than 256 characters')
    expect(userNameProblem('x'.repeat(10_000_000))).toContain('more than 256 characters')
  })

  const INVALID = [
    ['', 'is empty'],
    [' ann', 'starts or ends with a space'],
    ['ann ', 'starts or ends with a space'],
    ['a\0b', 'U+0000'],
    ['a\nb', 'U+000A'],
    ['\ud800', 'U+D800'],
    ['e\u0301', 'normal form, which is "é"'],
    ['a\u200bb', 'normal form, which is "ab"'],
    ['ﬁ', 'normal form, which is "fi"'],
    ['$SYS', "starts with '$'"],
    ['anonymous', 'access rules'],
    ['*', 'access rules'],
  ] as const
  for (const [name, problem] of INVALID) {
    it(`may not be ${JSON.stringify(name)}`, () => {
      expect(userNameProblem(name)).toContain(problem)
    })
  }
})

describe('makeUser', () => {
  it('makes a record whose verifiers take the password', async () => {
    const record = await makeUser({
      name: 'ann',
      password: bytes('pw'),
      scram: true,
      cost: CHEAP,
      scramIterations: 4_096,
      nowMs: 7,
    })
    expect(record).toMatchObject({ name: 'ann', createdAtMs: 7, changedAtMs: 7 })
    expect(await verifyPassword(parsePasswordVerifier(record.verifier ?? ''), bytes('pw'))).toBe(true)
    expect(parseScramVerifier(record.scram ?? '').iterations).toBe(4_096)
    expect(checkUserRecord(JSON.parse(JSON.stringify(record)), 'users[0]')).toEqual(record)
  })

  it('leaves SCRAM out when it is switched off, and every verifier when there is no password', async () => {
    const record = await makeUser({ name: 'ann', password: bytes('pw'), scram: false, cost: CHEAP, nowMs: 7 })
    expect(Object.keys(record)).not.toContain('scram')
    expect(await makeUser({ name: 'ann', scram: true, nowMs: 7 })).toEqual({
      name: 'ann',
      groups: [],
      createdAtMs: 7,
      changedAtMs: 7,
    })
  })

  it('keeps the day of creation, groups and role when the password changes', async () => {
    const previous: UserRecord = { ...user('ann'), groups: ['ops'], role: 'viewer' }
    const record = await makeUser({ name: 'ann', scram: false, previous, nowMs: 7 })
    expect(record).toEqual({ name: 'ann', groups: ['ops'], role: 'viewer', createdAtMs: 1, changedAtMs: 7 })
  })

  it('refuses a bad name or password with who and why', async () => {
    await expect(makeUser({ name: '$x', scram: false, nowMs: 7 })).rejects.toThrow(`user name "$x" starts with '$'`)
    await expect(makeUser({ name: 'ann', password: bytes(''), scram: false, nowMs: 7 })).rejects.toThrow(
      'the password is empty',
    )
  })
})

describe('withAccess', () => {
  const before: UserRecord = { ...user('ann'), verifier: 'kept', groups: ['dev'], role: 'viewer' }

  it('changes groups and role, and leaves alone what it is not told', () => {
    expect(withAccess(before, { groups: ['ops', 'dev'] })).toEqual({ ...before, groups: ['ops', 'dev'] })
    expect(withAccess(before, { role: 'administrator' })).toEqual({ ...before, role: 'administrator' })
    expect(withAccess(before, {})).toEqual(before)
  })

  it('takes the role away with null', () => {
    expect(Object.keys(withAccess(before, { role: null }))).not.toContain('role')
  })

  const BAD_GROUPS = [
    [Array.from({ length: 33 }, (_, index) => `g${index}`), 'user "ann" is in 33 groups, at most 32 are allowed'],
    [['a', 'b', 'a'], 'user "ann" is in group "a" twice'],
    [['*'], 'user "ann" is in group "*", which has a meaning of its own'],
    [[''], 'user "ann" is in group "", which is empty'],
  ] as const
  for (const [groups, problem] of BAD_GROUPS) {
    it(`refuses groups because ${problem}`, () => {
      expect(() => withAccess(before, { groups })).toThrow(problem)
    })
  }
})

describe('checkUserRecord', () => {
  it('takes a user of the time before groups for one in none', () => {
    expect(checkUserRecord({ name: 'a', createdAtMs: 1, changedAtMs: 1 }, 'users[0]')).toEqual(user('a'))
  })

  it('keeps groups and role', () => {
    const record: UserRecord = { ...user('a'), groups: ['x', 'y'], role: 'operator' }
    expect(checkUserRecord(structuredClone(record), 'users[0]')).toEqual(record)
  })

  const BAD = [
    [null, 'is not an object'],
    [[], 'is not an object'],
    [{}, 'has no name'],
    [{ name: 7 }, 'has no name'],
    [{ ...user('a'), name: 'a\0' }, 'U+0000'],
    [{ ...user('a'), admin: true }, 'unknown field "admin"'],
    [{ name: 'a', changedAtMs: 1 }, 'has no createdAtMs'],
    [{ ...user('a'), createdAtMs: -1 }, 'has no createdAtMs'],
    [{ ...user('a'), changedAtMs: '1' }, 'has no changedAtMs'],
    [{ ...user('a'), changedAtMs: 1.5 }, 'has no changedAtMs'],
    [{ ...user('a'), verifier: 'secret' }, 'has a bad verifier: a password verifier is'],
    [{ ...user('a'), verifier: null }, 'has a verifier that is not a text'],
    [{ ...user('a'), role: 'secret' }, 'has a role that is none of viewer, operator, administrator'],
    [{ ...user('a'), groups: 'secret' }, 'has groups that are no list of texts'],
    [{ ...user('a'), groups: [7] }, 'has groups that are no list of texts'],
    [{ ...user('a'), groups: ['g', 'g'] }, 'is in group "g" twice'],
    [{ ...user('a'), scram: 'secret' }, 'has a bad scram: a SCRAM verifier is'],
  ] as const
  for (const [value, problem] of BAD) {
    it(`refuses ${JSON.stringify(value)} because it ${problem}`, () => {
      expect(() => checkUserRecord(value, 'users[3]')).toThrow(problem)
      expect(() => checkUserRecord(value, 'users[3]')).toThrow(/^users\[3\]/)
      expect(() => checkUserRecord(value, 'users[3]')).not.toThrow('secret')
    })
  }
})

describe('MemoryUserStore', () => {
  it('adds, replaces, lists and removes, and tells its listeners in order', async () => {
    const store = new MemoryUserStore()
    const changes: UserChange[] = []
    const cancel = store.onChange((change) => changes.push(change))
    await store.put(user('ann'))
    await store.put(user('bob'))
    await store.put(user('ann', 2))
    expect(store.list()).toEqual([user('ann', 2), user('bob')])
    expect(await store.remove('bob')).toBe(true)
    expect(await store.remove('bob')).toBe(false)
    expect(store.get('bob')).toBeUndefined()
    cancel()
    await store.remove('ann')
    expect(changes).toEqual([
      { kind: 'put', name: 'ann', previous: undefined },
      { kind: 'put', name: 'bob', previous: undefined },
      { kind: 'put', name: 'ann', previous: user('ann') },
      { kind: 'removed', name: 'bob', previous: user('bob') },
    ])
  })

  it('makes a change of several as a whole or not at all', async () => {
    const store = new MemoryUserStore([user('ann'), user('bob')])
    const changes: string[] = []
    store.onChange(({ kind, name }) => changes.push(`${kind} ${name}`))
    await expect(store.change([user('eve'), { ...user('x'), scram: 'x' }], ['ann'])).rejects.toThrow('bad scram')
    expect([store.list(), changes]).toEqual([[user('ann'), user('bob')], []])
    await store.change([user('eve'), user('bob', 2)], ['ann', 'nobody'])
    expect(store.list()).toEqual([user('bob', 2), user('eve')])
    expect(changes).toEqual(['put eve', 'put bob', 'removed ann'])
  })

  it('tells a change of groups from one of anything else', async () => {
    const store = new MemoryUserStore([user('ann')])
    const seen: boolean[] = []
    store.onChange((change) => seen.push(changesGroups(change, store)))
    await store.put(user('ann', 2))
    await store.put({ ...user('ann'), groups: ['a', 'b'] })
    await store.put({ ...user('ann'), groups: ['b', 'a'] })
    await store.put({ ...user('ann'), groups: ['b', 'c'] })
    await store.remove('ann')
    await store.put(user('bob'))
    expect(seen).toEqual([false, true, false, true, true, false])
  })

  it('refuses a record that could not be read back', async () => {
    const store = new MemoryUserStore()
    await expect(store.put({ ...user('ann'), verifier: 'x' })).rejects.toMatchObject({ code: 'AUTH_USERS_CORRUPT' })
    expect(store.list()).toEqual([])
  })

  it('refuses one user too many but still changes those it has', async () => {
    const store = new MemoryUserStore(Array.from({ length: 100_000 }, (_, index) => user(`u${index}`)))
    await expect(store.put(user('more'))).rejects.toThrow('user "more" not added: 100000 users are the limit')
    await store.put(user('u5', 2))
    expect(store.get('u5')).toEqual(user('u5', 2))
  })

  it('has no user that every object has', () => {
    expect(new MemoryUserStore().get('__proto__')).toBeUndefined()
    expect(new MemoryUserStore().get('constructor')).toBeUndefined()
  })
})
