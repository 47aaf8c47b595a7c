/** What a run wants of every client, whichever program it is. */
import type { Load } from './load.ts'

export interface LoadClient extends AsyncDisposable {
  /** Where it tells what it sees, from now on. */
  use(load: Load): void
  /** The broker is dead: resolves when nothing that it has sent can still come. */
  gone(): Promise<void>
  /** A broker accepts again: resolves when the client is connected. */
  back(): Promise<void>
  /** Resolves when the broker has handled all acknowledgements that were sent, where that can be known. */
  flush(): Promise<void>
  /** Sends no more, or goes on. */
  pause(isPaused: boolean): void
  /** The broker has stopped in peace, and told its clients: that is no fault. */
  forgiveEnd(): void
  /** What went wrong beside messages; undefined when nothing did. */
  readonly fault: string | undefined
}

export interface LoadPublisher extends LoadClient {
  /** Once more, whatever `pause` says; resolves when it is confirmed. */
  publish(): Promise<void>
}
