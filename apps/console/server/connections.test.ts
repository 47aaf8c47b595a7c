import { once } from 'node:events'
import { IncomingMessage, ServerResponse } from 'node:http'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Connections } from './connections.ts'

let server: Server
let port: number
const open: Socket[] = []

beforeEach(async () => {
  server = createServer()
  server.listen({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  ;({ port } = server.address() as AddressInfo)
})

afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy()
  server.close()
})

interface Pair {
  readonly here: Socket
  readonly there: Socket
}

/** From an address of this machine. */
async function comesIn(connections: Connections, localAddress = '127.0.0.1'): Promise<Pair> {
  const there = connect({ port, host: '127.0.0.1', localAddress })
  there.on('error', () => {}) // a reset is an end like any other
  const [here] = (await once(server, 'connection')) as [Socket]
  open.push(here, there)
  connections.add(here)
  return { here, there }
}

const made = (connectionsMax: number, connectionsPerAddressMax: number): Connections =>
  new Connections({ connectionsMax, connectionsPerAddressMax })
const isOpen = ({ here }: Pair): boolean => !here.destroyed

/** A call of a caller who has shown who he is; `end` is the end of its answer. */
function calls(connections: Connections, { here }: Pair): { end(): void } {
  const response = new ServerResponse(new IncomingMessage(here))
  connections.begin(here, response)
  connections.keep(here)
  return { end: () => void response.emit('close') }
}

test('where one address has its share, its oldest connection that nobody logged in by gives way', async () => {
  const connections = made(100, 2)
  const known = await comesIn(connections)
  connections.keep(known.here)
  const pairs = [known, await comesIn(connections), await comesIn(connections)]
  expect(pairs.map(isOpen)).toEqual([true, false, true])
})

test('where all have logged in, the one that is idle for the longest time gives way, and none with a call under way', async () => {
  const connections = made(3, 3)
  const pairs = [await comesIn(connections), await comesIn(connections), await comesIn(connections)]
  const [first, second, third] = pairs.map((pair) => calls(connections, pair))
  first!.end()
  third!.end()
  calls(connections, pairs[0]!).end()
  const late = await comesIn(connections)
  expect([...pairs, late].map(isOpen)).toEqual([true, true, false, true])
  calls(connections, late)
  const later = await comesIn(connections)
  expect([...pairs, late, later].map(isOpen)).toEqual([false, true, false, true, true])
  calls(connections, later)
  const refused = await comesIn(connections)
  expect([...pairs, late, later, refused].map(isOpen)).toEqual([false, true, false, true, true, false])
  second!.end()
  expect(isOpen(await comesIn(connections))).toBe(true)
})

test('of idle ones, that which has begun to send its next call gives way last', async () => {
  const connections = made(2, 2)
  const [begun, idle] = [await comesIn(connections), await comesIn(connections)]
  calls(connections, begun).end()
  calls(connections, idle).end()
  begun.there.write('GET / HT')
  await once(begun.here, 'readable')
  const late = await comesIn(connections)
  expect([begun, idle, late].map(isOpen)).toEqual([true, false, true])
  calls(connections, late)
  expect(isOpen(await comesIn(connections))).toBe(true)
  expect([begun, late].map(isOpen)).toEqual([false, true])
})

test('where one address is at work with its share, a further one of it is refused, and no idle one of others gives way', async () => {
  const connections = made(100, 1)
  const other = await comesIn(connections, '127.0.0.2')
  calls(connections, other).end()
  calls(connections, await comesIn(connections))
  const refused = await comesIn(connections)
  expect([other, refused].map(isOpen)).toEqual([true, false])
})

test('other addresses are not concerned by one that has its share', async () => {
  const connections = made(100, 2)
  const other = await comesIn(connections, '127.0.0.2')
  for (let n = 0; n < 5; n++) await comesIn(connections)
  expect(isOpen(other)).toBe(true)
  const one = await comesIn(connections, '127.0.0.3')
  expect(isOpen(one)).toBe(true)
})

test('where all have no room, the oldest of whichever address gives way', async () => {
  const connections = made(3, 2)
  const pairs: Pair[] = []
  for (const address of ['127.0.0.1', '127.0.0.2', '127.0.0.1', '127.0.0.3'])
    pairs.push(await comesIn(connections, address))
  expect(pairs.map(isOpen)).toEqual([false, true, true, true])
})

test('a connection that closes makes room', async () => {
  const connections = made(100, 1)
  const first = await comesIn(connections)
  connections.keep(first.here)
  first.there.destroy()
  await once(first.here, 'close')
  expect(isOpen(await comesIn(connections))).toBe(true)
})
