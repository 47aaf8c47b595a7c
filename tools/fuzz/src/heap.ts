/** Whether memory grows: what is left after a full collection, early in a run and at its end. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Of which a long run may keep more than a short one: code, caches of routes and strings. */
export const HEAP_GROWTH_BYTES_MAX: number = 24 * 1024 * 1024

/** Bytes that are in use after everything unused was collected. */
export function heapInUse(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
