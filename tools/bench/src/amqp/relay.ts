/** Messages of 16 bytes from one to one, settled, as fast as they go; and the same load with something between that only copies. */
import { BrokerProcess } from '@ternmq/lab'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

import { cpuShares } from '../stomp/cpu.ts'
import { type Cost, middle } from '../stomp/measure.ts'
import { TransferBatch } from './frames.ts'
import { Link, type Place } from './link.ts'
import type { RelayReport } from './page.ts'

const ROUNDS = 3
const ROUND_MS = 3_000
const WARM_MS = 1_500
const STALL_MS_MAX = 5_000

const BODY_BYTES = 16
/** Messages in one write. */
const BATCH = 50
/** Messages that have been sent and have not arrived. */
const WINDOW = 4_000

/** In turns. */
export async function measureRelay(rounds: number = ROUNDS, signal: AbortSignal): Promise<RelayReport> {
  await using broker = await BrokerProcess.start({ listeners: { amqp: 0 } })
  const { pid } = broker
  const place = (address: string): Place => ({ port: broker.port('amqp'), address })
  const costs = { queue: [] as Cost[], topic: [] as Cost[], copy: [] as Cost[] }
  for (let round = 0; round < rounds; round++) {
    costs.queue.push(await measureRound(pid, place('queue://bench.relay'), signal))
    costs.topic.push(await measureRound(pid, place('topic://bench.relay'), signal))
    costs.copy.push(await measureCopying(signal))
  }
  return { rounds, queue: middle(costs.queue), topic: middle(costs.topic), copy: middle(costs.copy) }
}

/** What the load and the kernel can do without a broker. */
async function measureCopying(signal: AbortSignal): Promise<Cost> {
  const program = join(import.meta.dirname, 'copying-relay.ts')
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const stop = (): void => void child.kill('SIGKILL')
  process.once('exit', stop)
  try {
    const [said] = (await once(child.stdout, 'data')) as [Buffer]
    return await measureRound(child.pid!, { port: Number(said.toString()), address: undefined }, signal)
  } finally {
    process.removeListener('exit', stop)
    stop()
  }
}

/** Throws when nothing arrives any more, or something is missing at the end. */
async function measureRound(pid: number, place: Place, signal: AbortSignal): Promise<Cost> {
  const [first, second] =
    place.address === undefined ? (['sender', 'receiver'] as const) : (['receiver', 'sender'] as const)
  const links = [await Link.open(first, place), await Link.open(second, place)] as const
  const [sender, receiver] = first === 'sender' ? links : [links[1], links[0]]
  const load = new Load(sender, receiver)
  try {
    load.publish()
    await wait(WARM_MS, undefined, { signal })
    const before = load.delivered
    const elapsed = cpuShares(pid)
    await wait(ROUND_MS, undefined, { signal })
    const shares = elapsed()
    const count = load.delivered - before
    await load.end(signal)
    if (count === 0) throw new Error(`nothing arrived for ${ROUND_MS} ms: ${load.text}`)
    const deliveriesPerSecond = count / shares.seconds
    return { deliveriesPerSecond, cpuUsPerDelivery: (shares.brokerCores / deliveriesPerSecond) * 1e6, shares }
  } finally {
    for (const link of links) link.close()
  }
}

class Load {
  readonly #sender: Link
  readonly #batch = new TransferBatch(BATCH, BODY_BYTES)
  #sent = 0
  delivered = 0
  #isOver = false
  #failure: Error | undefined = undefined

  constructor(sender: Link, receiver: Link) {
    this.#sender = sender
    for (const link of [sender, receiver]) link.onFailed = (error) => (this.#failure ??= error)
    sender.onRoom = () => this.publish()
    receiver.onMessages = (count) => {
      this.delivered += count
      this.publish()
    }
  }

  get text(): string {
    return `${this.#sent} messages were sent and ${this.delivered} delivered`
  }

  publish(): void {
    while (!this.#isOver && this.#sent + BATCH <= Math.min(this.#sender.sentMax, this.delivered + WINDOW)) {
      this.#sent += BATCH
      this.#sender.send(this.#batch.next())
    }
  }

  /** Until all that was sent has arrived. */
  async end(signal: AbortSignal): Promise<void> {
    this.#isOver = true
    const untilMs = performance.now() + STALL_MS_MAX
    while (this.delivered < this.#sent && performance.now() < untilMs) await wait(10, undefined, { signal })
    if (this.#failure !== undefined) throw this.#failure
    if (this.delivered !== this.#sent) throw new Error(`${this.text} in all`)
  }
}
