/** Disks that say "synced" and are not: an engine above one loses what it confirmed, and a test must see it. */
import type { Disk, DiskFile } from '@ternmq/store'

/** Syncs of files, or of directories, only say that they happened. */
export function lyingDisk(disk: Disk, about: 'files' | 'directories'): Disk {
  return {
    open: async (path, mode) => {
      const file = await disk.open(path, mode)
      return about === 'files' ? lyingFile(file) : file
    },
    remove: (path) => disk.remove(path),
    rename: (from, to) => disk.rename(from, to),
    makeDirectory: (path) => disk.makeDirectory(path),
    list: (path) => disk.list(path),
    syncDirectory: (path) => (about === 'directories' ? Promise.resolve() : disk.syncDirectory(path)),
    freeBytes: () => disk.freeBytes(),
    lock: (path) => disk.lock(path),
  }
}

function lyingFile(file: DiskFile): DiskFile {
  return {
    write: (position, parts) => file.write(position, parts),
    read: (position, target) => file.read(position, target),
    size: () => file.size(),
    syncData: () => Promise.resolve(),
    syncAll: () => Promise.resolve(),
    truncate: (size) => file.truncate(size),
    close: () => file.close(),
  }
}
