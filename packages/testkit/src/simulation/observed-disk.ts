/**
 * A disk that tells when it failed for good: after a write or a sync that ended with 'io' nothing more may be confirmed on
 * it, because nobody knows what is on it.
 */
import { type Disk, DiskError, type DiskFile } from '@ternmq/store'

/** `onBroken` hears of each failure, before the one who asked does. */
export function observedDisk(disk: Disk, onBroken: (error: DiskError) => void): Disk {
  const watch = async <T>(done: Promise<T>): Promise<T> => {
    try {
      return await done
    } catch (error) {
      if (error instanceof DiskError && error.code === 'io') onBroken(error)
      throw error
    }
  }
  return {
    open: async (path, mode) => observedFile(await disk.open(path, mode), watch),
    remove: (path) => disk.remove(path),
    rename: (from, to) => disk.rename(from, to),
    makeDirectory: (path) => disk.makeDirectory(path),
    list: (path) => disk.list(path),
    syncDirectory: (path) => disk.syncDirectory(path),
    freeBytes: () => disk.freeBytes(),
    lock: (path) => disk.lock(path),
  }
}

function observedFile(file: DiskFile, watch: <T>(done: Promise<T>) => Promise<T>): DiskFile {
  return {
    write: (position, parts) => watch(file.write(position, parts)),
    read: (position, target) => file.read(position, target),
    size: () => file.size(),
    syncData: () => watch(file.syncData()),
    syncAll: () => watch(file.syncAll()),
    truncate: (size) => file.truncate(size),
    close: () => file.close(),
  }
}
