/** STOMP 1.2 over WebSocket. */
import { Client, type IFrame } from '@stomp/stompjs'
import type { TryClient, TryOptions } from './try-client.ts'

const OWN_HEADERS = new Set(['destination', 'subscription', 'content-length'])

export async function connectStomp({ url, user, password, onMessage, onClosed }: TryOptions): Promise<TryClient> {
  const client = new Client({
    brokerURL: url,
    connectHeaders: user === '' ? {} : { login: user, passcode: password },
    reconnectDelay: 0,
    connectionTimeout: 8_000,
  })
  let reason = 'The connection was closed.'
  let begun = false
  await new Promise<void>((resolve, reject) => {
    client.onConnect = () => {
      begun = true
      resolve()
    }
    client.onStompError = (frame) => {
      reason = sayError(frame)
      reject(new Error(reason))
    }
    client.onWebSocketClose = () => {
      if (begun) onClosed(reason)
      else reject(new Error(`No connection to ${url}: ${reason}`))
    }
    client.activate()
  }).catch((error: unknown) => {
    void client.deactivate({ force: true })
    throw error
  })
  let count = 0
  /** The broker answers a frame with a receipt once it has done what the frame says, or with an error and the end. */
  const withReceipt = (send: (receipt: string) => void): Promise<void> =>
    new Promise((resolve) => {
      const receipt = `r${++count}`
      client.watchForReceipt(receipt, () => resolve())
      send(receipt)
    })
  return {
    subscribe: (address) =>
      withReceipt((receipt) => {
        client.subscribe(
          address,
          ({ headers, binaryBody }) =>
            onMessage({
              address: headers['destination'] ?? address,
              body: binaryBody,
              details: Object.entries(headers).filter(([name]) => !OWN_HEADERS.has(name)),
            }),
          { receipt },
        )
      }),
    publish: (destination, body) =>
      withReceipt((receipt) => client.publish({ destination, body, headers: { receipt } })),
    close: () => void client.deactivate(),
  }
}

function sayError({ headers, body }: IFrame): string {
  return [headers['message'], body].filter((part) => part !== undefined && part !== '').join(': ')
}
