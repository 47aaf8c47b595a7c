/** Paths of Unix sockets that are longer than the kernel has room for. */
import { closeSync, openSync } from 'node:fs'
import { basename, dirname } from 'node:path'

/** Bytes of a socket's path that every system can do. */
const PATH_BYTES_MAX = 100

/**
 * The same socket by a path that fits: the kernel has room for about a hundred bytes, data directories may lie deeper. Linux
 * reaches a directory by the number of an open file.
 */
export function shortAddress(path: string): { readonly path: string; readonly free: () => void } {
  if (Buffer.byteLength(path) <= PATH_BYTES_MAX || process.platform !== 'linux') return { path, free: () => {} }
  const directory = openSync(dirname(path), 'r')
  return { path: `/proc/self/fd/${directory}/${basename(path)}`, free: () => closeSync(directory) }
}
