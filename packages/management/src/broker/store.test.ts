import { backupStore, getStoreReport } from '@ternmq/api'
import { beforeEach, expect, it } from 'vitest'
import { callerOf, DefinitionWorld } from '../../test/definition-world.ts'

let world: DefinitionWorld

beforeEach(async () => {
  world = await DefinitionWorld.open()
})

const SOCKET = { ...callerOf('$socket'), by: 'socket' } as const

it('a backup is made for who asks on the machine of the broker, and for nobody else', async () => {
  const body = { folder: '/backup' }
  expect(await world.call(backupStore, { body, caller: SOCKET })).toEqual({ files: 7, bytes: 1 })
  expect(world.notes).toEqual(['7 files with 1 byte in /backup'])
  await expect(world.call(backupStore, { body })).rejects.toMatchObject({ code: 'NOT_ALLOWED' })
})

it('a backup has an absolute path: a relative one would be of the broker, not of who asks', async () => {
  await expect(world.call(backupStore, { body: { folder: 'backup' }, caller: SOCKET })).rejects.toMatchObject({
    code: 'INVALID',
    more: { field: 'folder', value: 'backup', rule: 'an absolute path' },
  })
})

it('the report is told', async () => {
  expect(await world.call(getStoreReport)).toMatchObject({ formatVersion: 1, partitions: [] })
})
