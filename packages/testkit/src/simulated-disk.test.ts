import type { DiskFile } from '@ternmq/store'
import { describe, expect, test } from 'vitest'

import { type CrashKind, SimulatedDisk, type SimulatedDiskOptions } from './simulated-disk.ts'
import { SeededRandom } from './virtual-clock.ts'

const SEEDS = 200

/** A disk without durations; every call is finished as soon as it is awaited through `done`. */
function openDisk(options: Partial<SimulatedDiskOptions> = {}): SimulatedDisk {
  return new SimulatedDisk({ seed: 1, ...options })
}

async function done<T>(disk: SimulatedDisk, promise: Promise<T>): Promise<T> {
  while (disk.step());
  return promise
}

async function codeOf(disk: SimulatedDisk, promise: Promise<unknown>): Promise<unknown> {
  return done(disk, promise).then(
    () => 'done',
    (error: { code?: string }) => error.code,
  )
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function textAt(disk: SimulatedDisk, path: string): string | undefined {
  const found = disk.peek(path)
  return found && new TextDecoder().decode(found)
}

/** A file with durable contents and a durable name. */
async function durableFile(disk: SimulatedDisk, path: string, text: string): Promise<DiskFile> {
  const file = await done(disk, disk.open(path, 'create'))
  await done(disk, file.write(0, [bytes(text)]))
  await done(disk, file.syncData())
  await done(disk, disk.syncDirectory(path.split('/').slice(0, -1).join('/')))
  return file
}

/** What `observe` gives after a crash, over many seeds: every way it can end. */
async function endings(
  prepare: (disk: SimulatedDisk) => Promise<unknown>,
  observe: (disk: SimulatedDisk) => string | undefined,
  kind: CrashKind = 'power',
): Promise<Set<string | undefined>> {
  const found = new Set<string | undefined>()
  for (let seed = 1; seed <= SEEDS; seed++) {
    const disk = openDisk({ seed })
    await prepare(disk)
    found.add(observe(disk.crash(kind)))
  }
  return found
}

describe('names and contents, as on any disk', () => {
  test('what was written is read, in several parts and over a hole of zeros', async () => {
    const disk = openDisk()
    const file = await done(disk, disk.open('a', 'create'))
    await done(disk, file.write(10_000, [bytes('hel'), bytes('lo')]))
    expect(await done(disk, file.size())).toBe(10_005)
    const target = new Uint8Array(9).fill(7)
    expect(await done(disk, file.read(9_998, target))).toBe(7)
    expect([...target]).toEqual([0, 0, ...bytes('hello'), 7, 7])
    expect(await done(disk, file.read(20_000, target))).toBe(0)
  })

  test('truncate cuts, and extends with zeros where bytes were before', async () => {
    const disk = openDisk()
    const file = await durableFile(disk, 'a', 'hello')
    await done(disk, file.truncate(2))
    await done(disk, file.truncate(4))
    expect(textAt(disk, 'a')).toBe('he\0\0')
  })

  test('each refusal has its code', async () => {
    const disk = openDisk()
    await durableFile(disk, 'a', 'x')
    await done(disk, disk.makeDirectory('d/e'))
    expect(await codeOf(disk, disk.open('a', 'create'))).toBe('exists')
    expect(await codeOf(disk, disk.open('b', 'write'))).toBe('not-found')
    expect(await codeOf(disk, disk.open('no/b', 'create'))).toBe('not-found')
    expect(await codeOf(disk, disk.open('d', 'read'))).toBe('denied')
    expect(await codeOf(disk, disk.remove('b'))).toBe('not-found')
    expect(await codeOf(disk, disk.rename('b', 'c'))).toBe('not-found')
    expect(await codeOf(disk, disk.list('a'))).toBe('not-found')
    expect(await codeOf(disk, disk.makeDirectory('a/b'))).toBe('exists')
    expect(await codeOf(disk, disk.makeDirectory('d/e'))).toBe('done')
    const reader = await done(disk, disk.open('a', 'read'))
    expect(await codeOf(disk, reader.write(0, [bytes('y')]))).toBe('denied')
    await done(disk, reader.close())
    expect(await codeOf(disk, reader.size())).toBe('io')
  })

  test('a rename replaces, and a removed file can be read by who has it open', async () => {
    const disk = openDisk()
    const old = await durableFile(disk, 'a', 'old')
    await durableFile(disk, 'b', 'new')
    await done(disk, disk.rename('b', 'a'))
    expect(await done(disk, disk.list(''))).toEqual(['a'])
    expect(textAt(disk, 'a')).toBe('new')
    const target = new Uint8Array(3)
    await done(disk, old.read(0, target))
    expect(target).toEqual(bytes('old'))
  })

  test('a lock keeps others out until it is released or its holder is gone', async () => {
    const disk = openDisk()
    const lock = await done(disk, disk.lock('LOCK'))
    expect(await codeOf(disk, disk.lock('LOCK'))).toBe('locked')
    await lock.release()
    expect(await codeOf(disk, disk.lock('LOCK'))).toBe('done')
    const next = disk.crash('kill')
    expect(await codeOf(next, next.lock('LOCK'))).toBe('done')
  })

  test('overlapping operations finish in every order', async () => {
    const orders = new Set<string>()
    for (let seed = 1; seed <= SEEDS; seed++) {
      const disk = openDisk({ seed })
      const file = await durableFile(disk, 'a', '')
      const order: number[] = []
      const writes = [0, 1, 2].map(async (n) => {
        await file.write(n, [bytes(`${n}`)])
        order.push(n)
      })
      await done(disk, Promise.all(writes))
      orders.add(order.join())
    }
    expect([...orders].toSorted()).toEqual(['0,1,2', '0,2,1', '1,0,2', '1,2,0', '2,0,1', '2,1,0'])
  })

  test('bytes that change while they are written are reported to the test and not to the caller', async () => {
    const disk = openDisk()
    const file = await durableFile(disk, 'a', '')
    const part = bytes('hello')
    void file.write(0, [part])
    part[0] = 0
    expect(() => disk.step()).toThrow('a: the parts of a write at 0 changed before it had finished')
  })
})

describe('a loss of power', () => {
  test('keeps what was synced: contents, size and name', async () => {
    const found = await endings(
      (disk) => durableFile(disk, 'a', 'kept'),
      (disk) => textAt(disk, 'a'),
    )
    expect([...found]).toEqual(['kept'])
  })

  test('may lose a synced file whose name was not synced', async () => {
    const found = await endings(
      async (disk) => {
        const file = await done(disk, disk.open('a', 'create'))
        await done(disk, file.write(0, [bytes('x')]))
        await done(disk, file.syncAll())
      },
      (disk) => textAt(disk, 'a'),
    )
    expect(found).toEqual(new Set(['x', undefined]))
  })

  test('may lose the name of a directory and with it everything below', async () => {
    const found = await endings(
      async (disk) => {
        await done(disk, disk.makeDirectory('d'))
        await durableFile(disk, 'd/a', 'x')
      },
      (disk) => textAt(disk, 'd/a'),
    )
    expect(found).toEqual(new Set(['x', undefined]))
  })

  test('tears an unsynced write at any byte, loses it, keeps it, or leaves zeros', async () => {
    const found = await endings(
      async (disk) => {
        const file = await durableFile(disk, 'a', 'kept')
        await done(disk, file.write(4, [bytes('more')]))
      },
      (disk) => textAt(disk, 'a'),
    )
    expect(found).toEqual(new Set(['kept', 'keptm', 'keptmo', 'keptmor', 'keptmore', 'kept\0\0\0\0']))
  })

  test('may keep a later write without an earlier one', async () => {
    const found = await endings(
      async (disk) => {
        const file = await durableFile(disk, 'a', '')
        await done(disk, file.write(0, [bytes('1')]))
        await done(disk, file.write(1, [bytes('2')]))
      },
      (disk) => textAt(disk, 'a'),
    )
    expect(found).toContain('\x002')
    expect(found).toContain('1')
    expect(found).toContain('12')
    expect(found).toContain('')
  })

  test('may keep any of the sectors of a long write, and never mixes bytes inside of one', async () => {
    const found = await endings(
      async (disk) => {
        const file = await durableFile(disk, 'a', 'a'.repeat(2048))
        await done(disk, file.write(0, [bytes('b'.repeat(2048))]))
      },
      (disk) => (textAt(disk, 'a') ?? '').match(/.{512}/g)?.join(' '),
    )
    const [a, b] = ['a'.repeat(512), 'b'.repeat(512)]
    expect([...found].some((text) => text?.startsWith(`${a} ${b}`))).toBe(true)
    expect([...found].every((text) => text?.length === 2048 + 3)).toBe(true)
  })

  test('leaves a rename done or not done, never neither', async () => {
    const found = await endings(
      async (disk) => {
        await durableFile(disk, 'a', 'old')
        await durableFile(disk, 'b', 'new')
        await done(disk, disk.rename('b', 'a'))
      },
      (disk) => `${textAt(disk, 'a')} ${textAt(disk, 'b')}`,
    )
    expect(found).toEqual(new Set(['old new', 'new undefined']))
  })

  test('leaves a file one name when the later of two renames survives alone', async () => {
    const found = await endings(
      async (disk) => {
        await durableFile(disk, 'a', 'x')
        await done(disk, disk.rename('a', 'b'))
        await done(disk, disk.rename('b', 'c'))
      },
      (disk) => ['a', 'b', 'c'].filter((path) => disk.peek(path) !== undefined).join(),
    )
    expect(found).toEqual(new Set(['a', 'b', 'c']))
  })

  test('may bring a removed file back until the directory is synced', async () => {
    const remove = async (disk: SimulatedDisk, isSynced: boolean): Promise<void> => {
      const file = await durableFile(disk, 'a', 'x')
      await done(disk, file.close())
      await done(disk, disk.remove('a'))
      if (isSynced) await done(disk, disk.syncDirectory(''))
    }
    const observe = (disk: SimulatedDisk): string | undefined => textAt(disk, 'a')
    expect(await endings((disk) => remove(disk, false), observe)).toEqual(new Set(['x', undefined]))
    expect([...(await endings((disk) => remove(disk, true), observe))]).toEqual([undefined])
  })

  test('does not cover what was written after the sync had begun', async () => {
    const found = await endings(
      async (disk) => {
        const file = await durableFile(disk, 'a', '')
        await done(disk, file.write(0, [bytes('1')]))
        await Promise.all([file.syncData(), file.write(1, [bytes('2')]), done(disk, Promise.resolve())])
      },
      (disk) => textAt(disk, 'a'),
    )
    expect(found).toContain('1')
    expect(found).toContain('12')
    expect([...found].every((text) => text?.startsWith('1'))).toBe(true)
  })

  test('meets an operation under way before, in the midst of, or after its work', async () => {
    const found = await endings(
      async (disk) => {
        const file = await durableFile(disk, 'a', '')
        void file.write(0, [bytes('123')]).catch(() => {})
      },
      (disk) => textAt(disk, 'a'),
      'kill',
    )
    expect(found).toEqual(new Set(['', '1', '12', '123']))
  })
})

describe('a killed process', () => {
  test('leaves all that was written, and the kernel still has to sync it', async () => {
    const prepare = async (disk: SimulatedDisk): Promise<void> => {
      const file = await durableFile(disk, 'a', 'kept')
      await done(disk, file.write(4, [bytes('2')]))
      await done(disk, disk.rename('a', 'b'))
    }
    const observe = (disk: SimulatedDisk): string => `${textAt(disk, 'a')} ${textAt(disk, 'b')}`
    expect([...(await endings(prepare, observe, 'kill'))]).toEqual(['undefined kept2'])
    const later = await endings(prepare, (disk) => observe(disk.crash('power')), 'kill')
    expect(later).toEqual(
      new Set([
        'kept undefined',
        'kept2 undefined',
        'undefined kept',
        'undefined kept2',
        'kept\0 undefined',
        'undefined kept\0',
      ]),
    )
  })

  test('has no handles and no operations any more', async () => {
    const disk = openDisk()
    const file = await durableFile(disk, 'a', 'x')
    const underWay = file.write(0, [bytes('y')])
    const next = disk.crash('kill')
    expect(await codeOf(disk, underWay)).toBe('io')
    expect(await codeOf(disk, file.size())).toBe('io')
    expect(await codeOf(disk, disk.list(''))).toBe('io')
    expect(next.openFileCount).toBe(0)
    expect(() => disk.crash()).toThrow('replaced before')
  })
})

describe('faults', () => {
  test('the operation that was chosen fails, others do not', async () => {
    const disk = openDisk()
    const file = await durableFile(disk, 'a', '')
    disk.failOn({ on: 'write', nth: 2, code: 'io' })
    disk.failOn({ on: 'sync', nth: 1, code: 'io', path: (path) => path === 'b' })
    expect(await codeOf(disk, file.write(0, [bytes('1')]))).toBe('done')
    expect(await codeOf(disk, file.write(1, [bytes('2')]))).toBe('io')
    expect(await codeOf(disk, file.write(2, [bytes('3')]))).toBe('done')
    expect(await codeOf(disk, file.syncData())).toBe('done')
  })

  test('after a failed sync an earlier write may never reach the disk, though a later sync succeeds', async () => {
    const found = await endings(
      async (disk) => {
        const file = await durableFile(disk, 'a', '')
        await done(disk, file.write(0, [bytes('1')]))
        disk.failOn({ on: 'sync', nth: 1, code: 'io' })
        await codeOf(disk, file.syncData())
        await done(disk, file.syncData())
      },
      (disk) => textAt(disk, 'a'),
    )
    expect(found).toEqual(new Set(['', '1']))
  })

  test('a full disk takes a piece at most, tells so, and takes again when there is room', async () => {
    const disk = openDisk({ capacityBytes: 8192 })
    const file = await done(disk, disk.open('a', 'create'))
    await done(disk, file.write(0, [new Uint8Array(4096).fill(1)]))
    expect(await done(disk, disk.freeBytes())).toBe(4096)
    expect(await codeOf(disk, file.write(4096, [new Uint8Array(8192).fill(2)]))).toBe('full')
    expect(await done(disk, file.size())).toBeLessThanOrEqual(8192)
    await done(disk, file.truncate(4096))
    expect(await codeOf(disk, file.write(4096, [new Uint8Array(4096)]))).toBe('done')
    expect(await codeOf(disk, file.write(0, [new Uint8Array(8192)]))).toBe('done')
    expect(await codeOf(disk, file.write(8192, [new Uint8Array(1)]))).toBe('full')
    disk.capacityBytes = 12_288
    expect(await codeOf(disk, file.write(8192, [new Uint8Array(1)]))).toBe('done')
  })

  test('room of a removed file comes back when its last handle closes', async () => {
    const disk = openDisk({ capacityBytes: 8192 })
    const file = await durableFile(disk, 'a', 'x')
    await done(disk, disk.remove('a'))
    expect(disk.usedBytes).toBe(4096)
    await done(disk, file.close())
    expect(disk.usedBytes).toBe(0)
    expect(disk.openFileCount).toBe(0)
  })

  test('the power goes at the chosen operation, which is then under way', async () => {
    const disk = openDisk()
    const file = await durableFile(disk, 'a', '')
    disk.crashAt(2)
    expect(await codeOf(disk, file.write(0, [bytes('1')]))).toBe('done')
    expect(disk.isCrashed).toBe(false)
    expect(await codeOf(disk, file.syncData())).toBe('io')
    expect(disk.isCrashed).toBe(true)
  })

  test('a bad block is there after a crash too', async () => {
    const disk = openDisk()
    await durableFile(disk, 'a', 'hello')
    disk.corrupt('a', 1, bytes('X'))
    expect(textAt(disk, 'a')).toBe('hXllo')
    expect(textAt(disk.crash(), 'a')).toBe('hXllo')
  })
})

test('the same seed and the same calls give the same run, another seed another one', async () => {
  const run = async (seed: number): Promise<string> => {
    const random = new SeededRandom(7)
    let disk = openDisk({ seed, ioErrorShare: 0.05, capacityBytes: 40_960 })
    let told = ''
    for (let life = 0; life < 4; life++) {
      const files: DiskFile[] = []
      for (const name of ['a', 'b']) {
        const mode = disk.peek(name) === undefined ? 'create' : 'write'
        files.push(await done(disk, disk.open(name, mode)))
      }
      for (let round = 0; round < 30; round++) {
        const file = files[random.below(2)] as DiskFile
        const calls = [
          file.write(random.below(20_000), [random.bytes(3_000)]),
          file.syncData(),
          file.truncate(random.below(9_000)),
          disk.rename('a', 'c'),
          disk.rename('c', 'a'),
        ]
        while (disk.step());
        const ends = await Promise.allSettled(calls)
        told += ends.map(({ status }) => status[0]).join('')
      }
      told += `${disk.fingerprint} `
      disk = disk.crash(life % 2 === 0 ? 'power' : 'kill')
      told += `${disk.peek('a')?.length} ${disk.peek('b')?.length} ${disk.usedBytes};`
    }
    return told
  }
  const first = await run(1)
  expect(await run(1)).toBe(first)
  expect(await run(2)).not.toBe(first)
})
