import { statSync } from 'node:fs'
import { join } from 'node:path'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { scratchDirectories } from '../test/scratch.ts'
import { rejection } from './conformance/records.ts'
import { DiskError } from './env.ts'
import { nodeDisk } from './node-disk.ts'

const freshDirectory = scratchDirectories()

async function made(): Promise<{ directory: string; disk: ReturnType<typeof nodeDisk> }> {
  const directory = freshDirectory()
  const disk = nodeDisk(directory)
  await disk.makeDirectory('')
  return { directory, disk }
}

describe('a real directory', () => {
  test('parts are written one behind the other and read back, short only at the end', async () => {
    const { disk } = await made()
    await disk.makeDirectory('a/b')
    await disk.makeDirectory('a/b')
    const file = await disk.open('a/b/c', 'create')
    const parts = Array.from({ length: 3_000 }, (_, index) => new Uint8Array(1 + (index % 5)).fill(index & 0xff))
    await file.write(7, parts)
    const whole = Buffer.concat(parts)
    const target = new Uint8Array(whole.length + 20)
    expect(await file.read(7, target)).toBe(whole.length)
    expect(Buffer.compare(target.subarray(0, whole.length), whole)).toBe(0)
    await file.write(0, [])
    await file.writeSynced?.(7, [new Uint8Array(1), ...parts.slice(1)])
    await file.writeSynced?.(7, parts.slice(0, 1))
    expect(await file.read(7, target)).toBe(whole.length)
    expect(Buffer.compare(target.subarray(0, whole.length), whole)).toBe(0)
    await file.syncData()
    await file.syncAll()
    expect(await file.size()).toBe(whole.length + 7)
    await file.truncate(3)
    expect(await file.size()).toBe(3)
    await file.close()
    await disk.syncDirectory('a/b')
    expect(await disk.list('a')).toEqual(['b'])
    expect(await disk.freeBytes()).toBeGreaterThan(0)
  })

  test('each error says what the engine needs to know', async () => {
    const { disk } = await made()
    await (await disk.open('there', 'create')).close()
    expect(await rejection(disk.open('there', 'create'))).toMatchObject({ code: 'exists' })
    const calls = [
      () => disk.open('none', 'read'),
      () => disk.open('none', 'write'),
      () => disk.remove('none'),
      () => disk.list('none'),
    ]
    for (const failing of calls) {
      const error = await rejection(failing())
      expect(error).toBeInstanceOf(DiskError)
      expect(error).toMatchObject({ code: 'not-found' })
    }
    const moved = await disk.open('there', 'write')
    await disk.rename('there', 'elsewhere')
    await (await disk.open('there', 'create')).close()
    expect(await rejection(moved.writeSynced?.(0, [new Uint8Array(1)]) ?? Promise.resolve())).toMatchObject({
      code: 'io',
    })
    await moved.close()
    expect(await rejection(disk.rename('none', 'other'))).toMatchObject({ code: 'not-found' })
    const file = await disk.open('there', 'read')
    expect(await rejection(file.write(0, [new Uint8Array(1)]))).toMatchObject({ code: 'io' })
    await file.close()
  })

  test('files and directories are their owner’s alone', async () => {
    const { directory, disk } = await made()
    await (await disk.open('secret', 'create')).close()
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    expect(statSync(join(directory, 'secret')).mode & 0o777).toBe(0o600)
  })

  test('a lock has one holder, and ends with its process', async () => {
    const { directory, disk } = await made()
    const lock = await disk.lock('lock')
    expect(await rejection(nodeDisk(directory).lock('lock'))).toMatchObject({ code: 'locked' })
    await lock.release()
    await lock.release()
    const other = fork(new URL('../test/lock-holder.ts', import.meta.url), [directory])
    await once(other, 'message')
    expect(await rejection(disk.lock('lock'))).toMatchObject({ code: 'locked' })
    other.kill('SIGKILL')
    await once(other, 'exit')
    await (await disk.lock('lock')).release()
  })
})
