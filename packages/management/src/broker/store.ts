/** What is on disk, and copies of it. */
import { isAbsolute } from 'node:path'
import { backupStore, getStore, getStoreReport, several } from '@ternmq/api'
import { ApiError } from '../errors.ts'
import { bind, type Bound } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'

export function storeHandlers(broker: ManagedBroker): Bound[] {
  return [
    bind(getStore, () => broker.store()),
    bind(getStoreReport, () => broker.storeReport()),
    bind(backupStore, async ({ body: { folder }, caller, note }) => {
      if (caller.by !== 'socket') {
        const detail =
          'a backup is a folder on the machine of the broker: make it there, with `ternmq store backup` or over the socket in the data directory'
        throw new ApiError('NOT_ALLOWED', detail)
      }
      if (!isAbsolute(folder)) {
        const rule = 'an absolute path'
        throw new ApiError('INVALID', `folder '${folder}' is not ${rule}`, { field: 'folder', value: folder, rule })
      }
      const made = await broker.backup(folder)
      note(`${several(made.files, 'file')} with ${several(made.bytes, 'byte')} in ${folder}`)
      return made
    }),
  ]
}
