/**
 * Flow control of one virtual host: who waits for room and goes on when there is some, memory that is given back before anybody has to
 * wait, time that takes messages and queues away. What may go on is `admission.ts`', the order of one producer's publishes `Producer`'s.
 */
import type { Queue } from '../queue/queue.ts'
import type { VirtualHost } from '../virtual-host.ts'
import { Gates } from './gates.ts'
import { Pager } from './pager.ts'
import type { QueueFlow } from './queue-flow.ts'
import { fullText, limitText } from './reasons.ts'
import { type ExpirySweep, Sweeper } from './sweeper.ts'

export class Flow implements QueueFlow {
  readonly gates: Gates
  readonly pager: Pager = new Pager()
  readonly sweeper: Sweeper
  readonly #vhost: VirtualHost

  constructor(vhost: VirtualHost) {
    this.#vhost = vhost
    this.sweeper = new Sweeper(vhost)
    this.gates = new Gates({
      turns: vhost.turns,
      onHolding: (queue) => this.#report(`${this.#fullText(queue)}; publishers wait`),
      onHoldingEnds: (queue) => this.#report(`${queue.name} has room again; no publisher waits any more`),
      onMemoryAwaited: (isAwaited) => {
        vhost.waiting.isAwaited = isAwaited
      },
      wallMs: () => vhost.env.clock.wallMs(),
    })
    vhost.log.onReady = () => this.gates.onLogReady()
  }

  /** There are `bytes` left of the memory for what waits, perhaps after what is in the log as well has been let go. Hot path. */
  hasMemoryFor(bytes: number): boolean {
    const { waiting } = this.#vhost
    if (waiting.bytes + bytes <= waiting.bytesMax) return true
    this.pager.free(waiting.bytes + bytes - waiting.bytesMax, waiting.bytesMax)
    return waiting.bytes + bytes <= waiting.bytesMax
  }

  onPageable(queue: Queue): void {
    this.pager.add(queue)
  }

  expects(queue: Queue, atMs: number, sweep: ExpirySweep | undefined): ExpirySweep {
    return this.sweeper.expects(queue, atMs, sweep)
  }

  watchConsumers(queue: Queue): void {
    this.sweeper.watchConsumers(queue)
  }

  forget(queue: Queue, sweep: ExpirySweep | undefined): void {
    this.pager.remove(queue)
    this.sweeper.forget(queue, sweep)
  }

  /** The virtual host closes: nothing happens by itself any more. */
  close(): void {
    this.sweeper.close()
    this.gates.close()
  }

  #fullText(queue: Queue): string {
    return fullText(queue, limitText(queue), this.#vhost.env.clock.wallMs())
  }

  #report(text: string): void {
    this.#vhost.report({ kind: 'limit', source: 'core', text })
  }
}
