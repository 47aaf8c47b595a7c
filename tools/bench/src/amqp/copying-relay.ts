/** A program that passes on what its first peer sends to its second, byte for byte: the least that a relay can do. Prints its port. */
import { createServer, type Socket } from 'node:net'

let first: Socket | undefined = undefined

const server = createServer((socket) => {
  socket.setNoDelay(true)
  socket.on('error', () => process.exit(1))
  socket.on('close', () => process.exit())
  if (first === undefined) first = socket
  else first.pipe(socket)
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) process.stdout.write(`${address.port}\n`)
})
process.once('SIGTERM', () => process.exit())
