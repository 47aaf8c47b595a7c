import type { JournalEngine } from '@ternmq/store/journal'
import { expect, test } from 'vitest'

import { isStoreRequest, StoreAdmin } from './store-admin.ts'

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

const QUEUES = { queues: [], queueCount: 0 }

const BACKUP = { op: 'store.backup', target: '/backup' } as const

test('one backup is made at a time, and the next one may begin when it is done or has failed', async () => {
  const { journal, finish } = slowJournal()
  const admin = new StoreAdmin(journal, () => QUEUES)
  const first = admin.run(BACKUP)
  await expect(admin.run(BACKUP)).rejects.toThrow('a backup is being made already; wait until it is done')
  expect(await admin.run({ op: 'store.inspect' })).toEqual({ diskBytes: 5, ...QUEUES })
  finish(new Error('disk full'))
  await expect(first).rejects.toThrow('disk full')
  const second = admin.run(BACKUP)
  finish()
  expect(await second).toEqual({ files: 1, bytes: 2 })
})

test('a broker without a journal says that it has none', async () => {
  await expect(new StoreAdmin(undefined, () => QUEUES).run({ op: 'store.inspect' })).rejects.toThrow('it has no journal')
})

test.each([
  [{ op: 'store.inspect' }, true],
  [BACKUP, true],
  [{ op: 'store.backup', target: 'relative' }, false],
  [{ op: 'store.backup', target: 5 }, false],
  [{ op: 'store.backup' }, false],
  [{ op: 'store.drop' }, false],
  [{ op: 'user.list' }, false],
  [null, false],
  ['store.inspect', false],
])('%j is a request about the store: %s', (value, answer) => expect(isStoreRequest(value)).toBe(answer))
