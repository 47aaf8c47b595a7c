import { expect, it } from 'vitest'
import { hex } from '../../harness.ts'
import { kept311 } from '../worlds.ts'

it('[MQTT311-7.0.0-2] a client that knows nothing but the specification gets by: every packet, byte for byte', async () => {
  const world = await kept311()
  const client = world.open()
  const talk: [said: string, heard: string][] = [
    // CONNECT "c", clean session 0, keep alive 60
    ['10 0d 0004 4d515454 04 00 003c 0001 63', '20 02 00 00'],
    // SUBSCRIBE "a/+" QoS 2, "b" QoS 0
    ['82 0c 0001 0003 612f2b 02 0001 62 00', '90 04 0001 02 00'],
    // PUBLISH "b" QoS 1: delivered with QoS 0, and acknowledged
    ['32 06 0001 62 0007 21', '30 04 0001 62 21 40 02 0007'],
    // PUBLISH "a/b" QoS 0
    ['30 06 0003 612f62 31', '30 06 0003 612f62 31'],
    // PUBLISH "a/b" QoS 1
    ['32 08 0003 612f62 0008 32', '32 08 0003 612f62 0001 32 40 02 0008'],
    ['40 02 0001', ''],
    // PUBLISH "a/b" QoS 2, both exchanges to their end
    ['34 08 0003 612f62 0009 33', '34 08 0003 612f62 0002 33 50 02 0009'],
    ['62 02 0009', '70 02 0009'],
    ['50 02 0002', '62 02 0002'],
    ['70 02 0002', ''],
    // PINGREQ
    ['c0 00', 'd0 00'],
    // UNSUBSCRIBE "a/+"
    ['a2 07 0002 0003 612f2b', 'b0 02 0002'],
    ['30 06 0003 612f62 34', ''],
    // DISCONNECT
    ['e0 00', ''],
  ]
  for (const [said, heard] of talk) {
    await client.finish(hex(said))
    const answer = Buffer.concat(client.received().map(({ raw }) => raw)).toString('hex')
    expect([said, sorted(answer)]).toEqual([said, sorted(Buffer.from(hex(heard)).toString('hex'))])
  }
  expect(client.isClosed).toBe(true)
})

/** Whether a publisher that is its own subscriber hears of the message or of the acknowledgement first is open. */
function sorted(answer: string): string {
  return answer.replace(/^(4002....|5002....)(3.+)$/, '$2$1')
}
