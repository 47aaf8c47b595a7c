/** Heart-beats in both directions, on a clock that the test moves. */
import { describe, expect, it } from 'vitest'
import { type Client, frame, raw, send, slowWorld, subscribe, World } from '../../harness.ts'

/** The server offers and wants one every 10 s. */
function worldAnd(heartBeat: string, version: 10 | 11 | 12 = 12): { world: World; client: Client } {
  const world = new World()
  return { world, client: world.connect({ version, headers: { 'heart-beat': heartBeat } }) }
}

describe('heart-beats of the server', () => {
  it.each([
    ['0,10000', 10_000],
    ['0,1', 10_000],
    ['0,30000', 30_000],
  ])(
    '[STOMP12-Heart-beating-d, STOMP12-Heart-beating-e, STOMP12-Heart-beating-f, STOMP11-Heart-beating-d, STOMP11-Heart-beating-e] for %s come at least every %i ms',
    (heartBeat, everyMs) => {
      const { world, client } = worldAnd(heartBeat)
      client.takeBeats()
      for (let round = 0; round < 5; round++) {
        world.advance(everyMs)
        expect(client.takeBeats()).toBeGreaterThan(0)
      }
    },
  )

  it('come no more often than they must, about', () => {
    const { world, client } = worldAnd('0,10000')
    world.advance(100_000)
    expect(client.takeBeats()).toBeLessThanOrEqual(11)
  })

  it.each(['0,0', '5000,0'])('[STOMP12-Heart-beating-c, STOMP11-Heart-beating-c] do not come for %s', (heartBeat) => {
    const { world, client } = worldAnd(heartBeat)
    for (let round = 0; round < 20; round++) {
      world.advance(5_000)
      client.send(raw('\n'))
    }
    expect(client.takeBeats()).toBe(0)
  })

  it('[STOMP12-Heart-beating-b, STOMP11-Heart-beating-b] do not come, and none are asked for, without the header', () => {
    const world = new World()
    const client = world.connect()
    world.advance(3_600_000)
    expect([client.takeBeats(), client.isClosed]).toEqual([0, false])
  })

  it('do not come to a 1.0 client, whatever it writes', () => {
    const { world, client } = worldAnd('1000,1000', 10)
    world.advance(3_600_000)
    expect([client.takeBeats(), client.isClosed]).toEqual([0, false])
  })

  it('are offered and asked for in CONNECTED, and not where the operator wants none', () => {
    expect(worldAnd('0,0').client.connected.headers['heart-beat']).toBe('1000,1000')
    const world = new World({ settings: { heartBeatMs: 0 } })
    const client = world.connect({ headers: { 'heart-beat': '1000,1000' } })
    expect(client.connected.headers['heart-beat']).toBe('0,0')
    world.advance(3_600_000)
    expect([client.takeBeats(), client.isClosed]).toEqual([0, false])
  })

  it('keep to what was agreed on also where the operator sets less than the clock can tell apart', () => {
    const world = new World({ settings: { heartBeatMs: 100 } })
    const client = world.connect({ headers: { 'heart-beat': '0,1' } })
    const everyMs = Number(client.connected.headers['heart-beat']!.split(',')[0])
    client.takeBeats()
    for (let round = 0; round < 10; round++) {
      world.advance(everyMs)
      expect(client.takeBeats()).toBeGreaterThan(0)
    }
  })

  it('end with the connection: no timer is left', () => {
    const { world, client } = worldAnd('10000,10000')
    client.vanish()
    world.advance(60_000)
    expect(world.clock.timerCount).toBe(0)
  })
})

describe('heart-beats of the client', () => {
  it('[STOMP12-Heart-beating-g, STOMP11-Heart-beating-f] may be late, and end the connection when they stay away', () => {
    const { world, client } = worldAnd('10000,0')
    world.advance(15_000)
    client.send(raw('\n'))
    world.advance(19_500)
    expect(client.isClosed).toBe(false)
    world.advance(1_500)
    expect(client.error()).toMatch(/^nothing heard for 2\d s; heart-beats were agreed on/)
    expect(world.events.at(-1)).toMatchObject({ kind: 'disconnected', clause: 'STOMP12-Heart-beating-g' })
  })

  it('[STOMP12-Heart-beating-h] are any data: frames, and parts of frames', () => {
    const { world, client } = worldAnd('10000,0')
    const [start, end] = [send('/queue/q', 'x').subarray(0, 5), send('/queue/q', 'x').subarray(5)]
    for (let round = 0; round < 5; round++) {
      world.advance(14_000)
      client.send(start)
      world.advance(14_000)
      client.send(end)
    }
    expect([client.isClosed, world.queue('q').waitingCount]).toEqual([false, 5])
  })

  it('are not missed from a client that the broker does not read from', () => {
    const world = new World({ limits: { heldMessagesMax: 4 } })
    const client = world.connect({ headers: { 'heart-beat': '10000,0' } })
    world.define('q', { messagesMax: 1, blockMaxMs: 600_000 })
    for (let count = 0; count < 4; count++) client.send(send('/queue/q', 'x'))
    world.advance(300_000)
    expect(client.isClosed).toBe(false)
  })

  it('are not missed while the broker catches up with its log', async () => {
    const { world, log } = await slowWorld()
    const client = await world.join({ headers: { 'heart-beat': '10000,0' } })
    log.hold()
    client.send(send('/queue/q', 'x', { persistent: true }))
    client.send(...Array.from({ length: 5_000 }, (_, index) => frame(index % 2 === 0 ? 'BEGIN' : 'ABORT', { transaction: 't', receipt: index })))
    for (let round = 0; round < 10; round++) {
      client.send(raw('\n'))
      world.advance(9_000)
    }
    log.release()
    await world.settle()
    expect([client.isClosed, client.receipts().length]).toEqual([false, 5_000])
    world.advance(19_000)
    expect(client.isClosed).toBe(false)
    world.advance(3_000)
    expect(client.isClosed).toBe(true)
  })

  it('return what the client had to the queue when they stay away', () => {
    const { world, client } = worldAnd('10000,0')
    client.send(subscribe(1, '/queue/q', { ack: 'client' }), send('/queue/q', 'x'))
    expect(client.bodies()).toEqual(['x'])
    world.advance(25_000)
    expect([client.isClosed, world.queue('q').waitingCount, world.queue('q').inflightCount]).toEqual([true, 1, 0])
  })
})
