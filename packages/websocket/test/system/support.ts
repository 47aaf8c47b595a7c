/** WebSocket listeners and peers for the tests of this folder. */
import { once } from 'node:events'
import type { Socket } from 'node:net'

import type { AcceptTransport, ServedProtocol } from '@ternmq/core'
import { type Accepted, type Rig, startRig, TEST_OPTIONS } from '@ternmq/testkit'
import type { BoundAddress } from '@ternmq/transport'
import { onTestFinished } from 'vitest'
import { type ClientOptions, WebSocket } from 'ws'

import { createWebSocketListener, type WebSocketListenerOptions } from '../../src/index.ts'

export const MIB = 1_048_576

/** An upgrade request by hand; the key is the example of RFC 6455. */
export const UPGRADE: string = [
  'GET /any/path?x=1 HTTP/1.1',
  'Host: localhost',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Protocol: mqtt',
].join('\r\n')

/** Speaks MQTT in binary frames and STOMP in either. */
export function startWs(
  options: Partial<WebSocketListenerOptions> = {},
  setUp?: (accepted: Accepted) => void,
  create: typeof createWebSocketListener = createWebSocketListener,
): Promise<Rig> {
  return startRig(
    (context, acceptTransport) => {
      const settings = { protocols: protocolsOf(acceptTransport), maxMessageBytes: 1_000_000, allowedOrigins: [] }
      return create({ ...TEST_OPTIONS, key: 'ws', ...settings, ...options }, context)
    },
    onTestFinished,
    setUp,
  )
}

export function protocolsOf(accept: AcceptTransport): ServedProtocol[] {
  return [
    {
      name: 'mqtt',
      websocketSubprotocols: ['mqtt', 'mqttv3.1'],
      takesTextFrames: false,
      inboundBytesMax: 1_000,
      accept,
    },
    { name: 'stomp', websocketSubprotocols: ['v12.stomp'], takesTextFrames: true, inboundBytesMax: 1_000, accept },
  ]
}

/** A peer on its way; errors are left to 'close'. Destroyed after the test. */
export function wsPeer(
  { host, port }: BoundAddress,
  protocols: string[] = ['mqtt'],
  options: ClientOptions & { path?: string; scheme?: 'ws' | 'wss' } = {},
): WebSocket {
  const { path = '/', scheme = 'ws', ...rest } = options
  const ws = new WebSocket(`${scheme}://${host}:${port}${path}`, protocols, { perMessageDeflate: false, ...rest })
  onTestFinished(() => ws.terminate())
  ws.on('error', () => {})
  return ws
}

/** As `wsPeer`, after the upgrade. */
export async function dialWs(...args: Parameters<typeof wsPeer>): Promise<WebSocket> {
  const ws = wsPeer(...args)
  await once(ws, 'open')
  return ws
}

/** The close frame that a peer got, or 1006 without one. */
export function closeOf(ws: WebSocket): Promise<{ code: number; text: string }> {
  return new Promise((resolve) => {
    ws.once('close', (code, reason) => resolve({ code, text: reason.toString() }))
  })
}

/** Reads that many bytes, and then no more; fewer when the other side ends. Rejects when it breaks off. */
export async function takeBytes(peer: Socket, bytes: number): Promise<void> {
  for (let left = bytes; left > 0 && !peer.readableEnded; ) {
    const chunk = peer.read() as Buffer | null
    if (chunk === null) await once(peer, 'readable')
    else left -= chunk.length
  }
}
