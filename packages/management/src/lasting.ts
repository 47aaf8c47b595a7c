/** Changes of queues, sessions and retained messages count at once, and are on their way into the log when they are made. */
import type { VirtualHost } from '@ternmq/core'
import { ApiError } from './errors.ts'

/** A store without room is tried again every second; a call waits no longer for it than this. */
export const LASTING_WAIT_MS = 5_000

/** Resolves when all that was done so far is there after a restart, too. Rejects with ApiError('STORE_FAILED') when the store does not take it. */
export async function whenLasting({ log, env }: VirtualHost): Promise<void> {
  const settled = log.settledSoFar()
  if (settled === undefined) return
  await new Promise<void>((resolve, reject) => {
    const cancel = env.clock.after(LASTING_WAIT_MS, () => reject(notYet()))
    void settled.then(() => {
      cancel()
      resolve()
    })
  })
}

function notYet(): ApiError {
  const detail =
    'it is done, but the store has not taken it yet: a restart now would undo it; it is tried again until there is room'
  return new ApiError('STORE_FAILED', detail)
}
