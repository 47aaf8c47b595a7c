/** LOCK LOG [WAIT_MS]: notes in LOG when it enters and leaves the lock, with a turn of the event loop in between. */
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { withLock } from '../../lock.mjs'

const [lock, log, waitMs] = process.argv.slice(2)

await withLock(
  lock,
  async () => {
    appendFileSync(log, `in ${process.pid}\n`)
    await sleep(20)
    appendFileSync(log, `out ${process.pid}\n`)
  },
  waitMs === undefined ? undefined : Number(waitMs),
)
