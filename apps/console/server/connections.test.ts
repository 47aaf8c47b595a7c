import { once } from 'node:events'
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

test('where one address has its share, its oldest connection that nobody logged in by gives way', async () => {
  const connections = made(100, 2)
  const known = await comesIn(connections)
  connections.keep(known.here)
  const pairs = [known, await comesIn(connections), await comesIn(connections)]
  expect(pairs.map(isOpen)).toEqual([true, false, true])
  const [, , third] = pairs
  connections.keep(third!.here)
  const late = await comesIn(connections)
  expect([...pairs, late].map(isOpen)).toEqual([true, false, true, false])
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
