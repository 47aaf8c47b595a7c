/** WebSocket listeners and peers for the tests of this folder. */
import { once } from 'node:events'

import type { AcceptTransport, ServedProtocol } from '@ternmq/core'
import { type Accepted, type Rig, startRig, TEST_OPTIONS } from '@ternmq/testkit'
import type { BoundAddress } from '@ternmq/transport'
import { onTestFinished } from 'vitest'
import { type ClientOptions, WebSocket } from 'ws'

import { createWebSocketListener, type WebSocketListenerOptions } from '../../src/index.ts'

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
