/** Signals to the broker: the first that ends it lets it finish, the second does not; SIGHUP reloads. */
import { constants } from 'node:os'

export type EndSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP'

/** A starter that passes on what its whole terminal group gets sends everything twice: that is one signal. */
const SAME_SIGNAL_MS = 100

/**
 * Resolves with the first signal that ends the broker. From then on another one exits at once, with the code that the signal
 * alone would have had. At a terminal, SIGHUP says that the terminal is gone, and ends the broker too.
 */
export function untilEndSignal(onReload: () => void): Promise<EndSignal> {
  return new Promise((resolve) => {
    let firstAtMs: number | undefined = undefined
    const end = (signal: EndSignal): void => {
      const nowMs = performance.now()
      if (firstAtMs === undefined) {
        firstAtMs = nowMs
        resolve(signal)
      } else if (nowMs - firstAtMs > SAME_SIGNAL_MS) {
        process.exit(128 + constants.signals[signal])
      }
    }
    process.on('SIGTERM', end)
    process.on('SIGINT', end)
    process.on('SIGHUP', process.stdin.isTTY ? end : onReload)
  })
}
