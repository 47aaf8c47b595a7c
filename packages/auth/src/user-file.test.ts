import { mkdtemp, open, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FileUserStore } from './user-file.ts'
import type { UserFileSystem } from './user-file.ts'
import type { UserRecord } from './users.ts'

const user = (name: string, changedAtMs = 1): UserRecord => ({ name, groups: [], createdAtMs: 1, changedAtMs })
const SECRET = Buffer.alloc(32, 7).toString('base64')

let folder = ''
let path = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ternmq-users-'))
  path = join(folder, 'users.json')
})
afterEach(() => rm(folder, { recursive: true }))

/** The real file system, which notes each step and fails at `failAt`. */
function watchedFileSystem(steps: string[], failAt?: string): UserFileSystem {
  const step = (name: string): void => {
    steps.push(name)
    if (name === failAt) throw Object.assign(new Error(`ENOSPC: no space left, ${name}`), { code: 'ENOSPC' })
  }
  const watchedOpen = async (target: string, flags: string, mode?: number): Promise<unknown> => {
    const what = flags === 'r' ? 'directory' : 'file'
    step(`open ${what}`)
    const handle = await open(target, flags, mode)
    return {
      writeFile: async (data: AsyncIterable<string>): Promise<void> => {
        step('write')
        await handle.writeFile(data)
      },
      sync: async (): Promise<void> => {
        await handle.sync()
        step(`sync ${what}`)
      },
      close: (): Promise<void> => handle.close(),
    }
  }
  return {
    open: watchedOpen as typeof open,
    rename: async (from, to) => {
      step('rename')
      await rename(from, to)
    },
    rm,
  }
}

describe('FileUserStore', () => {
  it('has no users and makes no file while there is none', async () => {
    const store = await FileUserStore.open(path)
    expect(store.list()).toEqual([])
    expect(await readdir(folder)).toEqual([])
  })

  it('finds its users and its secret again, in order', async () => {
    const store = await FileUserStore.open(path)
    await Promise.all([store.put(user('ann')), store.put(user('bob')), store.put(user('eve'))])
    await store.put(user('ann', 2))
    expect(await store.remove('bob')).toBe(true)
    expect(await store.remove('bob')).toBe(false)
    const again = await FileUserStore.open(path)
    expect(again.list()).toEqual([user('ann', 2), user('eve')])
    expect(again.get('ann')).toEqual(user('ann', 2))
    expect(again.decoySecret).toEqual(store.decoySecret)
  })

  it('writes versioned JSON with one user per line, for the owner alone', async () => {
    const store = await FileUserStore.open(path)
    await store.put(user('ann'))
    const text = await readFile(path, 'utf8')
    expect(JSON.parse(text)).toMatchObject({ version: 3, removed: [], users: [user('ann')] })
    expect(text.split('\n').length).toBe(4)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['users.json'])
  })

  it('syncs the new file before it takes the place of the old one, and the directory after', async () => {
    const steps: string[] = []
    const store = await FileUserStore.open(path, watchedFileSystem(steps))
    await store.put(user('ann'))
    expect(steps).toEqual(['open file', 'write', 'sync file', 'rename', 'open directory', 'sync directory'])
  })

  for (const failAt of ['open file', 'write', 'sync file', 'rename']) {
    it(`is as before, in memory and on disk, when "${failAt}" fails`, async () => {
      await (await FileUserStore.open(path)).put(user('ann'))
      const store = await FileUserStore.open(path, watchedFileSystem([], failAt))
      const changes: unknown[] = []
      store.onChange((change) => changes.push(change))
      await expect(store.put(user('bob'))).rejects.toThrow(`cannot write ${path}: ENOSPC`)
      await expect(store.remove('ann')).rejects.toMatchObject({ code: 'AUTH_USERS_UNWRITABLE' })
      expect(store.list()).toEqual([user('ann')])
      expect(changes).toEqual([])
      expect((await FileUserStore.open(path)).list()).toEqual([user('ann')])
      expect(await readdir(folder)).toEqual(['users.json'])
    })
  }

  it('keeps memory and disk alike and says so when the directory cannot be synced', async () => {
    const store = await FileUserStore.open(path, watchedFileSystem([], 'sync directory'))
    await expect(store.put(user('ann'))).rejects.toThrow('the change is made but may be lost')
    expect(store.list()).toEqual([user('ann')])
    expect((await FileUserStore.open(path)).list()).toEqual([user('ann')])
  })

  it('remembers the names of those who were removed until nothing is kept for them any more', async () => {
    const store = await FileUserStore.open(path)
    await store.change([user('ann'), user('bob'), user('eve')], [])
    await store.change([], ['ann', 'bob', 'nobody'])
    await store.put(user('ann', 2))
    const next = await FileUserStore.open(path)
    expect([next.removedNames, next.list()]).toEqual([
      ['ann', 'bob'],
      [user('eve'), user('ann', 2)],
    ])
    await next.forgetRemoved(['ann', 'bob'])
    expect(next.removedNames).toEqual([])
    expect((await FileUserStore.open(path)).removedNames).toEqual([])
  })

  it('writes that a name is forgotten with the next change, and at once where somebody has it again', async () => {
    const steps: string[] = []
    const store = await FileUserStore.open(path, watchedFileSystem(steps))
    await store.put(user('ann'))
    await store.remove('ann')
    steps.length = 0
    await store.forgetRemoved(['ann'])
    expect([steps, (await FileUserStore.open(path)).removedNames]).toEqual([[], ['ann']])
    await store.put(user('ann'))
    expect((await FileUserStore.open(path)).removedNames).toEqual([])
    await store.remove('ann')
    await Promise.all([store.put(user('ann')), store.forgetRemoved(['ann'])])
    expect((await FileUserStore.open(path)).removedNames).toEqual([])
  })

  it('goes on after a failed change', async () => {
    const store = await FileUserStore.open(path)
    const bad = store.put({ ...user('ann'), scram: 'x' })
    const good = store.put(user('bob'))
    await expect(bad).rejects.toMatchObject({ code: 'AUTH_USERS_CORRUPT' })
    await good
    expect(store.list()).toEqual([user('bob')])
  })

  it('writes changes that come together as one file, each after the one before', async () => {
    const steps: string[] = []
    const store = await FileUserStore.open(path, watchedFileSystem(steps))
    const results = await Promise.all([
      store.put(user('ann')),
      store.put(user('bob')),
      store.remove('ann'),
      store.remove('ann'),
      store.put(user('bob', 2)),
    ])
    expect(results).toEqual([undefined, undefined, true, false, undefined])
    expect(steps.filter((step) => step === 'open file')).toHaveLength(1)
    expect([store.list(), (await FileUserStore.open(path)).list()]).toEqual([[user('bob', 2)], [user('bob', 2)]])
  })

  it('writes one file for a change of very many, and all of it or nothing counts', async () => {
    const steps: string[] = []
    const store = await FileUserStore.open(path, watchedFileSystem(steps))
    const all = Array.from({ length: 1_500 }, (_, index) => user(`u${index}`))
    await store.change(all, [])
    const told: string[] = []
    store.onChange(({ kind, name }) => told.push(`${kind} ${name}`))
    const counts: number[] = []
    const change = store.change([user('new')], ['nobody', ...all.slice(0, 1_400).map(({ name }) => name)])
    const isDone = change.then(() => true)
    while (!(await Promise.race([isDone, new Promise<false>((resolve) => setImmediate(() => resolve(false)))])))
      if (counts.at(-1) !== told.length) counts.push(told.length)
    expect(steps.filter((step) => step === 'rename')).toHaveLength(2)
    expect([told.length, told[0], told.at(-1)]).toEqual([1_401, 'put new', 'removed u1399'])
    expect(counts.length).toBeGreaterThan(3) // others have a turn in between
    const left = [...all.slice(1_400), user('new')]
    expect([store.list(), (await FileUserStore.open(path)).list()]).toEqual([left, left])
    await expect(store.change([user('more'), { ...user('bad'), scram: 'x' }], ['new'])).rejects.toThrow('bad scram')
    expect([store.list(), steps.filter((step) => step === 'rename').length]).toEqual([left, 2])
  })

  it('replaces what a crash left behind', async () => {
    await writeFile(`${path}.new`, 'half a fi', { mode: 0o644 })
    await (await FileUserStore.open(path)).put(user('ann'))
    expect((await FileUserStore.open(path)).list()).toEqual([user('ann')])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it('refuses changes beyond the waiting line and makes all others', async () => {
    const store = await FileUserStore.open(path)
    const changes = Array.from({ length: 1_001 }, () => store.remove('nobody'))
    await expect(changes[1_000]).rejects.toMatchObject({ code: 'AUTH_USERS_BUSY' })
    expect(await Promise.all(changes.slice(0, 1_000))).toEqual(Array.from({ length: 1_000 }, () => false))
    expect(await store.remove('nobody')).toBe(false)
  })

  it('refuses a file of a newer version and says what to start', async () => {
    await writeFile(path, '{"version":4,"tenants":[]}')
    await expect(FileUserStore.open(path)).rejects.toThrow(
      `${path} has version 4, this TernMQ reads versions up to 3: start the newer TernMQ that wrote it`,
    )
  })

  it('reads a file of the first version, in which nobody is in a group, and writes the present one', async () => {
    await writeFile(
      path,
      `{"version":1,"decoySecret":"${SECRET}","users":[\n{"name":"ann","createdAtMs":1,"changedAtMs":1}\n]}\n`,
    )
    const store = await FileUserStore.open(path)
    expect(store.list()).toEqual([user('ann')])
    await store.put({ ...user('bob'), groups: ['ops'], role: 'viewer' })
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ version: 3, decoySecret: SECRET })
    expect((await FileUserStore.open(path)).list()).toEqual([
      user('ann'),
      { ...user('bob'), groups: ['ops'], role: 'viewer' },
    ])
  })

  const head = `"version":2,"decoySecret":"${SECRET}"`
  const CORRUPT: readonly (readonly [name: string, content: string | Uint8Array, problem: string])[] = [
    ['an empty file', '', 'ends too early, at line 1, column 1'],
    ['half a file', `{${head},"users":[\n{"name":"ann",`, 'ends too early, at line 2, column 15'],
    ['a stray comma', `{${head},"users":[\n{"name":"ann"},\n]}`, 'is not JSON at line 3, column 1'],
    ['zeros', '\0\0\0\0', 'is not JSON at line 1, column 1'],
    [
      'bytes that are not UTF-8',
      Buffer.concat([Buffer.from('{\n"a'), Buffer.of(0xff)]),
      'is not UTF-8 at line 2, column 3',
    ],
    ['a list', '[]', 'holds no object'],
    ['no version', '{"users":[]}', 'has no "version": 3'],
    ['version 0', '{"version":0,"users":[]}', 'has no "version": 3'],
    ['a version of text', '{"version":"2","users":[]}', 'has no "version": 3'],
    ['no list of removed names', `{${head},"removed":[1],"users":[]}`, 'has no list "removed" of up to 100000 names'],
    ['no secret', '{"version":2,"users":[]}', 'has no "decoySecret" of 32 bytes'],
    ['a short secret', '{"version":2,"decoySecret":"AAAA","users":[]}', 'has no "decoySecret" of 32 bytes'],
    ['no users', `{${head}}`, 'has no list "users"'],
    ['an unknown field', `{${head},"users":[],"groups":[]}`, 'has the unknown field "groups"'],
    [
      'a bad user',
      `{${head},"users":[{"name":"ann","createdAtMs":1,"changedAtMs":1},{"name":""}]}`,
      'users[1] has the name ""',
    ],
    [
      'a user twice',
      `{${head},"users":[${JSON.stringify(user('ann'))},${JSON.stringify(user('ann'))}]}`,
      'users[1] has the name of users[0]',
    ],
  ]
  for (const [name, content, problem] of CORRUPT) {
    it(`refuses ${name} with file, place and what to do`, async () => {
      await writeFile(path, content)
      const opening = FileUserStore.open(path)
      await expect(opening).rejects.toMatchObject({ code: 'AUTH_USERS_CORRUPT' })
      await expect(opening).rejects.toThrow(problem)
      await expect(opening).rejects.toThrow(path)
      await expect(opening).rejects.toThrow('put a backup in its place')
      expect(await readFile(path)).toEqual(Buffer.from(content))
    })
  }

  it('names the reason when the file cannot be read', async () => {
    await expect(FileUserStore.open(folder)).rejects.toMatchObject({
      code: 'AUTH_USERS_UNREADABLE',
      message: expect.stringContaining(`cannot read ${folder}: EISDIR`) as string,
    })
  })
})
