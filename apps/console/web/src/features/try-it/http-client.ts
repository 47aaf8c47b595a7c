/** Messages over HTTP, with the login of the page: topics as server-sent events, queues by taking. */
import { publishMessage, settleMessages, subscribeEvents, type TakenMessage, takeMessages } from '@ternmq/api'
import { call, targetOf } from '../../lib/api.ts'
import { addressOf } from '../../lib/base.ts'
import { bytesOf } from '../messages/body.ts'
import type { TryClient, TryMessage, TryOptions } from './try-client.ts'

const TAKE_MAX = 20
const TAKE_WAIT_MS = 20_000

type Received = Pick<TakenMessage, 'address' | 'body' | 'properties' | 'priority' | 'durable' | 'format'>

export async function connectHttp({ onMessage, onUnsubscribed, onClosed }: TryOptions): Promise<TryClient> {
  const stop = new AbortController()
  const sources: EventSource[] = []
  return {
    subscribe: (address) => {
      if (!address.startsWith('topic://')) {
        void takeAll(address, stop.signal, onMessage).catch((error: unknown) => {
          if (!stop.signal.aborted) onClosed(error instanceof Error ? error.message : String(error))
        })
        return Promise.resolve()
      }
      return new Promise((resolve, reject) => {
        const source = new EventSource(addressOf(targetOf(subscribeEvents, { query: { address } })))
        sources.push(source)
        let begun = false
        source.onopen = () => {
          begun = true
          resolve()
        }
        source.onerror = () => {
          if (source.readyState !== EventSource.CLOSED) return
          if (begun) onUnsubscribed(address, 'the broker refuses it now; may you still read from it?')
          else reject(new Error(`The broker refused the subscription to ${address}; may you read from it?`))
        }
        source.addEventListener('message', (event: MessageEvent<string>) =>
          onMessage(toMessage(JSON.parse(event.data) as Received)),
        )
      })
    },
    publish: async (address, body) => {
      await call(publishMessage, { body: { address, body } })
    },
    close: () => {
      stop.abort()
      for (const source of sources) source.close()
      onClosed('You have closed it.')
    },
  }
}

/** Takes, shows and settles until it is told to stop. */
async function takeAll(address: string, signal: AbortSignal, onMessage: (message: TryMessage) => void): Promise<void> {
  while (!signal.aborted) {
    const { items } = await call(takeMessages, { body: { address, max: TAKE_MAX, waitMs: TAKE_WAIT_MS } }, signal)
    for (const item of items) onMessage(toMessage(item))
    const deliveries = items.map(({ delivery }) => delivery).filter((delivery) => delivery !== '')
    if (deliveries.length > 0) await call(settleMessages, { body: { deliveries, outcome: 'accepted' } })
  }
}

function toMessage({ address, body, properties, priority, durable, format }: Received): TryMessage {
  return {
    address,
    body: bytesOf(body),
    details: [['came in', format], ['priority', String(priority)], ['durable', String(durable)], ...properties],
  }
}
