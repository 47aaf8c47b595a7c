/** What `WebSocketTransport` relies on: how `ws` hears of bytes. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

test('ws takes bytes by one listener for data, and by nothing else', async () => {
  const http = createServer()
  const upgrader = new WebSocketServer({ noServer: true })
  const counts = new Promise((resolve) => {
    http.on('upgrade', (request, socket, head) =>
      upgrader.handleUpgrade(request, socket, head, () =>
        resolve([socket.listenerCount('data'), socket.listenerCount('readable')]),
      ),
    )
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}`)
  try {
    await once(client, 'open')
    expect(await counts).toEqual([1, 0])
  } finally {
    client.terminate()
    http.close()
    http.closeAllConnections()
  }
})
