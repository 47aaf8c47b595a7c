/** What one stream watches: a part of the broker that says each second how it is. */
import type { StreamEvents } from '@ternmq/api'

export interface Watch {
  /** As the caller wrote it. */
  readonly name: string
  /** A second has passed, and the sink is writable. False when it is not there any more. */
  tick(send: Send): boolean
  /** Nobody looks any more. */
  close?(): void
}

export type Send = <K extends keyof StreamEvents>(event: K, data: StreamEvents[K], id?: number) => void
