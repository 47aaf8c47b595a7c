/** What a queue tells flow control, and asks it; so that a queue can be tested without a virtual host. */
import type { Queue } from '../queue/queue.ts'
import type { ExpirySweep } from './sweeper.ts'

export interface QueueFlow {
  /** There are `bytes` left of the memory for what waits, perhaps after others have given some back. */
  hasMemoryFor(bytes: number): boolean
  /** The queue has begun to hold messages of the log in memory: those bytes can be given back. */
  onPageable(queue: Queue): void
  /** A message that waits expires at `atMs`, Unix ms. The queue keeps what is returned for the next call. */
  expects(queue: Queue, atMs: number, sweep: ExpirySweep | undefined): ExpirySweep
  /** Messages wait although there are consumers. */
  watchConsumers(queue: Queue): void
  /** The queue is gone. */
  forget(queue: Queue, sweep: ExpirySweep | undefined): void
}
