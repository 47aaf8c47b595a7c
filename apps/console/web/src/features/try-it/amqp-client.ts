/** AMQP 1.0 over WebSocket. */
import rhea, { type Connection, type ConnectionOptions, type EventContext, type Receiver, type Sender } from 'rhea'
import type { TryClient, TryMessage, TryOptions } from './try-client.ts'

const CONNECT_MS = 8_000
const CREDIT = 100

export async function connectAmqp({
  url,
  user,
  password,
  clientId,
  onMessage,
  onUnsubscribed,
  onClosed,
}: TryOptions): Promise<TryClient> {
  // The client would come as nobody, which the broker may allow, and not as who is named.
  if (user !== '' && password === '') throw new Error('Give a password, or no user to come as nobody.')
  const container = rhea.create_container({ id: clientId })
  const options = {
    connection_details: container.websocket_connect(WebSocket)(url, ['amqp'], {}),
    ...(user === '' ? {} : { username: user, password }),
    reconnect: false,
    idle_time_out: 30_000,
  }
  // The types of rhea want a host and a port, which a socket of its own does not have.
  const connection = container.connect(options as unknown as ConnectionOptions)
  await opened(connection, 'connection', `No connection to ${url}.`)
  let reason = 'The connection was closed.'
  let ended = false
  const end = (): void => {
    if (!ended) onClosed(reason)
    ended = true
  }
  connection.on('connection_error', () => (reason = sayError(connection.error)))
  connection.on('connection_close', end)
  connection.on('disconnected', end)
  const senders = new Map<string, Promise<Sender>>()
  return {
    subscribe: async (address) => {
      const receiver = connection.open_receiver({ source: address, credit_window: CREDIT })
      receiver.on('message', ({ message }: EventContext) => {
        if (message !== undefined) onMessage(toMessage(address, message))
      })
      await opened(receiver, 'receiver', `The broker did not answer for ${address}.`)
      receiver.once('receiver_close', () => onUnsubscribed(address, sayError(receiver.error)))
    },
    publish: async (address, body) => {
      const made = senders.get(address) ?? openSender(connection, address)
      senders.set(address, made)
      made.catch(() => senders.delete(address))
      const sender = await made
      await new Promise<void>((resolve, reject) => {
        const delivery = sender.send({ body, durable: true })
        const done = (context: EventContext): void => {
          if (context.delivery !== delivery) return
          for (const name of OUTCOMES) sender.removeListener(name, done)
          const { remote_state: state } = delivery as unknown as {
            readonly remote_state?: {
              readonly error?: unknown
              readonly constructor: { readonly composite_type?: string }
            }
          }
          const outcome = state?.constructor.composite_type
          if (outcome === 'accepted') resolve()
          else
            reject(
              new Error(
                state?.error === undefined ? `The broker answered ${outcome ?? 'nothing'}.` : sayError(state.error),
              ),
            )
        }
        for (const name of OUTCOMES) sender.on(name, done)
      })
    },
    close: () => connection.close(),
  }
}

const OUTCOMES = ['accepted', 'rejected', 'released', 'modified'] as const

async function openSender(connection: Connection, address: string): Promise<Sender> {
  const sender = connection.open_sender(address)
  await opened(sender, 'sender', `The broker did not answer for ${address}.`)
  if (sender.sendable()) return sender
  return new Promise((resolve, reject) => {
    sender.once('sendable', () => resolve(sender))
    sender.once('sender_close', () => reject(new Error(sayError(sender.error))))
  })
}

/** Rejects with the reason of the other side. */
function opened(
  thing: Connection | Sender | Receiver,
  kind: 'connection' | 'sender' | 'receiver',
  late: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(late)), CONNECT_MS)
    const fail = (context: EventContext): void => {
      clearTimeout(timer)
      reject(new Error(sayError(thing.error ?? (context as { readonly error?: unknown }).error)))
    }
    thing.once(`${kind}_open`, () => {
      clearTimeout(timer)
      // A refused link opens too, and is closed at once with the reason.
      setTimeout(resolve, 0)
    })
    thing.once(`${kind}_error`, fail)
    thing.once(`${kind}_close`, fail)
    if (kind === 'connection') thing.once('disconnected', fail)
  })
}

function sayError(error: unknown): string {
  const { condition, description, message } = (error ?? {}) as {
    readonly condition?: string
    readonly description?: string
    readonly message?: string
  }
  return (
    [condition, description ?? message].filter((part) => part !== undefined && part !== '').join(': ') ||
    'The broker gave no reason.'
  )
}

function toMessage(address: string, message: NonNullable<EventContext['message']>): TryMessage {
  const { application_properties: properties = {}, durable, priority, message_id: id } = message
  const body: unknown = message.body
  const details = Object.entries(properties as Readonly<Record<string, unknown>>).map(
    ([name, value]): readonly [string, string] => [name, JSON.stringify(value)],
  )
  if (id !== undefined) details.unshift(['message id', String(id)])
  details.unshift(['durable', String(durable === true)], ['priority', String(priority ?? 4)])
  return { address: message.to ?? address, body: bytesOf(body), details }
}

/** A body may be bytes, in one section or several, a text, or any value. */
function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body
  const content = (body as { readonly content?: unknown } | null)?.content
  if (content instanceof Uint8Array) return content
  return new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body))
}
