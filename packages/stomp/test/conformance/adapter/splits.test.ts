/** However the bytes of a client are cut into reads, it gets the same answers and has the same effect. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { abort, ack, begin, type Client, commit, connectFrame, disconnect, frame, nack, raw, send, subscribe, type Version, World } from '../../harness.ts'

const HELD = 6

/** What a client may say once it holds `HELD` messages, whose ids are 1 to `HELD`. */
const oneFrame = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom('/queue/out', '/topic/none', 'queue://out'), fc.string({ maxLength: 20 }), fc.nat(99)).map(([to, body, receipt]) => send(to, body.replaceAll('\0', ''), { receipt })) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 40 }).map((body) => send('/queue/out', body, { 'content-length': body.length, 'a:b': 'c\nd' })) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: HELD + 1 }).map((id) => ack(String(id), { receipt: `ack ${id}` })) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: HELD }).map((id) => nack(String(id), { receipt: `nack ${id}` })) },
  {
    weight: 3,
    arbitrary: fc.constantFrom('a', 'b').map((name) => Buffer.concat([begin(name), send('/queue/out', 'in it', { transaction: name }), commit(name, { receipt: name })])),
  },
  { weight: 1, arbitrary: fc.constantFrom(abort('a'), begin('b'), commit('b', { receipt: 'b' }), subscribe('new', '/queue/other', { receipt: 's' })) },
  { weight: 1, arbitrary: fc.constantFrom(raw('\n'), raw('\r\n\n'), raw('SEND\r\ndestination:/queue/out\r\n\r\ncr^@')) },
  { weight: 1, arbitrary: fc.constantFrom(raw('SENT\n\n^@'), raw('SEND\nno colon\n\n^@'), raw('SEND\ndestination:\\x\n\n^@'), frame('CONNECT'), disconnect('bye')) },
)

/** Everything that a client and the broker can tell of it. */
function outcome(version: Version, pieces: readonly Uint8Array[]): unknown {
  const world = new World()
  world.connect().send(...Array.from({ length: HELD }, (_, index) => send('/queue/in', String(index))))
  const client: Client = world.open({ version })
  client.send(connectFrame(version), subscribe('in', '/queue/in', { ack: 'client-individual' }))
  client.received()
  for (const piece of pieces) client.send(piece)
  const frames = client.received().filter(({ command }) => command !== 'MESSAGE')
  client.vanish()
  const counts = ['in', 'out', 'DLQ', 'other'].map((name) => world.vhost.destinations.find(name)?.queue.waitingCount)
  const bodies = world.connect()
  bodies.send(subscribe(1, '/queue/out'))
  return { answers: frames.map(({ command, headers }) => [command, headers]), counts, out: bodies.messages().map(({ body, headers }) => [body, headers['a:b']]) }
}

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set([0, ...places.map((place) => place % (bytes.length + 1)), bytes.length])].sort((one, other) => one - other)
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end))
}

describe('the same bytes', () => {
  it('have the same answers and the same effect in one read, in many, and byte by byte', () => {
    const version = fc.constantFrom<Version>(11, 12)
    const property = fc.property(version, fc.array(oneFrame, { minLength: 1, maxLength: 12 }), fc.array(fc.nat(), { maxLength: 8 }), (spoken, frames, places) => {
      const bytes = Buffer.concat(frames)
      const whole = outcome(spoken, [bytes])
      expect(outcome(spoken, cut(bytes, places))).toEqual(whole)
    })
    fc.assert(property, { numRuns: 300 })
  })

  it('of a whole session may come byte by byte', () => {
    const session = Buffer.concat([
      connectFrame(12),
      subscribe(1, '/queue/q', { receipt: 's' }),
      send('/queue/q', 'a\0b', { 'content-length': 3, receipt: 'r' }),
      raw('\n'),
      begin('t'),
      send('/queue/q', 'é', { transaction: 't' }),
      commit('t', { receipt: 'c' }),
      disconnect('bye'),
    ])
    const world = new World()
    const client = world.open()
    for (const byte of session) client.send(Uint8Array.of(byte))
    client.accepted()
    const frames = client.received()
    expect(frames.flatMap(({ headers }) => headers['receipt-id'] ?? [])).toEqual(['s', 'r', 'c', 'bye'])
    expect(frames.filter(({ command }) => command === 'MESSAGE').map(({ body }) => body)).toEqual(['a\0b', 'é'])
    expect(client.isClosed).toBe(true)
  })
})
