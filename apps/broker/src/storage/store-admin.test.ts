import type { JournalEngine } from '@ternmq/store/journal'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

import { StoreAdmin } from './store-admin.ts'

/** A journal whose backups end when the test says so. */
function slowJournal(): { journal: JournalEngine; finish: (error?: Error) => void } {
  let finish: (error?: Error) => void = () => {}
  const backup = (): Promise<object> =>
    new Promise((resolve, reject) => {
      finish = (error) => (error === undefined ? resolve({ files: 1, bytes: 2 }) : reject(error))
    })
  const journal = { backup, inspect: () => ({ diskBytes: 5 }) } as unknown as JournalEngine
  return { journal, finish: (error) => finish(error) }
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ternmq-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

test('one backup is made at a time, and the next one may begin when it is done or has failed', async () => {
  const { journal, finish } = slowJournal()
  const admin = new StoreAdmin(journal, newFolder())
  const target = join(newFolder(), 'backup')
  const first = admin.backup(target)
  await expect(admin.backup(target)).rejects.toMatchObject({
    code: 'CONFLICT',
    message: 'a backup is being made already; wait until it is done',
  })
  expect(admin.report()).toEqual({ diskBytes: 5 })
  finish(new Error('disk full'))
  await expect(first).rejects.toMatchObject({ code: 'CONFLICT', message: 'disk full' })
  const second = admin.backup(target)
  finish()
  expect(await second).toEqual({ files: 1, bytes: 2 })
})

test('a backup is not made inside of what it copies', async () => {
  const folder = newFolder()
  const admin = new StoreAdmin(slowJournal().journal, folder)
  await expect(admin.backup(join(folder, 'copy'))).rejects.toThrow('is inside the journal')
})

test('a broker without a journal says that it has none', async () => {
  expect(() => new StoreAdmin(undefined, '').report()).toThrow('it has no journal')
  await expect(new StoreAdmin(undefined, '').backup('/backup')).rejects.toMatchObject({ code: 'CONFLICT' })
})
