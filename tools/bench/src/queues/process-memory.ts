/** Memory that another process has, as its operator sees it. Linux only. */
import { readFileSync } from 'node:fs'

/** Resident set in bytes: now, and the most there ever was. */
export function memoryOf(pid: number): { readonly rssBytes: number; readonly peakBytes: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? NaN) * 1_024
  return { rssBytes: read('VmRSS'), peakBytes: read('VmHWM') }
}
