/** Scripts that come when they are wanted: while the broker does not answer they wait for it, instead of failing their page for good. */
import { getMe } from '@ternmq/api'
import { call, isLoss } from './api.ts'
import { connectionState, onConnectionState } from './connection-state.ts'

/** Rejects when the broker answers and the script is not there all the same: after an update the old ones are gone. */
export async function loadScript<T>(load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch {
    // It may have answered again since: only now what does not come is not there.
    if (await answers()) return load()
  }
  await answeredAgain()
  return loadScript(load)
}

/** Any answer will do, a refusal too. */
async function answers(): Promise<boolean> {
  try {
    await call(getMe)
    return true
  } catch (error) {
    return !isLoss(error)
  }
}

function answeredAgain(): Promise<void> {
  return new Promise((resolve) => {
    const stop = onConnectionState(look)
    function look(): void {
      if (connectionState().lost) return
      stop()
      resolve()
    }
    look()
  })
}
