/** Signals that end the broker: the first lets it finish, the second does not. */
import { constants } from 'node:os'

type EndSignal = 'SIGTERM' | 'SIGINT'

/** A starter that passes on what its whole terminal group gets sends everything twice: that is one signal. */
const SAME_SIGNAL_MS = 100

/** The first of them. From then on another one exits at once, with the code that the signal alone would have had. */
export function untilSignal(): Promise<EndSignal> {
  return new Promise((resolve) => {
    let firstAtMs: number | undefined = undefined
    const take = (signal: EndSignal): void => {
      const nowMs = performance.now()
      if (firstAtMs === undefined) {
        firstAtMs = nowMs
        resolve(signal)
      } else if (nowMs - firstAtMs > SAME_SIGNAL_MS) {
        process.exit(128 + constants.signals[signal])
      }
    }
    process.on('SIGTERM', take)
    process.on('SIGINT', take)
  })
}
