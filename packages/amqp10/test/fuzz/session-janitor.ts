/** Takes what is left in a queue, as any client would. */
import { assert } from '@ternmq/testkit/fuzzer'
import type { World } from '../harness.ts'

const BATCH = 200

/** Payloads of all messages, first the next one to be delivered. */
export async function emptyQueue(world: World, name: string, settle: () => Promise<void>): Promise<Buffer[]> {
  const { queue } = world.vhost.destinations.find(name)!
  const peer = world.dial()
  peer.exchangeHeaders()
  peer.send(peer.openFrame({ containerId: 'janitor' }))
  await settle()
  peer.next('open')
  const link = peer.begin().receiver(`queue://${name}`)
  const payloads: Buffer[] = []
  while (queue.waitingCount > 0) {
    link.grant(BATCH)
    await settle()
    const deliveries = link.takeAll()
    assert(deliveries.length > 0, `queue ${name} has ${queue.waitingCount} messages and gives none`)
    payloads.push(...deliveries.map(({ payload }) => payload))
    link.settle(deliveries[0]!.id, { kind: 'accepted' }, { last: deliveries.at(-1)!.id })
    await settle()
  }
  peer.close()
  await settle()
  return payloads
}
