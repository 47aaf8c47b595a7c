/** The adapter's end of a session: what it hears of. */
import type { PeerInfo, Transport } from '../connection/transport.ts'

/** The adapter's end of a session while it is connected. */
export interface SessionOwner {
  /**
   * The session has another owner or is gone; the adapter closes its connection and makes no more calls to the session. `by` is the peer
   * of the other owner; left out where that has no connection.
   */
  onEvicted(reason: 'taken-over' | 'deleted', by?: PeerInfo): void
  /** The session has lost subscriptions of its own, which its user may not have any more; `text` names them. */
  onAccessLost?(text: string): void
  /** That of its connection; left out where there is none. */
  readonly transport?: Transport
}
