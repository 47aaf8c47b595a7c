/** CPU that another process has used, all its threads together. Linux only. */
import { readdirSync, readFileSync } from 'node:fs'

/** Nanoseconds. Threads that have ended are not in it: a broker's stay. */
export function cpuNsOf(pid: number): number {
  const tasks = `/proc/${pid}/task`
  return readdirSync(tasks).reduce(
    (sum, task) => sum + Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]),
    0,
  )
}
