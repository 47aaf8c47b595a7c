/**
 * `browser:true`: everything that is in a queue, looked at and left there; then a MESSAGE with `browser:end`, as ActiveMQ ends it. A client
 * that acknowledges what it looked at, in a mode that asks for it, does no harm: nothing comes of it.
 */
import { browse, type BrowsedEntry, type Browsing, type Message, type Queue, QUEUE_PREFIX, type Selector } from '@ternmq/core'
import { encodeLines, linesFor, type MessageHead, writeMessage } from './codec/encode.ts'
import type { FrameHeaders } from './codec/headers.ts'
import type { StompConnection } from './connection.ts'
import type { Source } from './destinations.ts'
import { stompHeaders, stompTextHeaders } from './headers.ts'
import { pairsOf, writeWithLines } from './message-out.ts'
import { Refused } from './refused.ts'
import { selectorOf } from './selectors.ts'
import type { Subscription } from './subscription.ts'

/** Entries read at a time; the client's transport decides when each is sent. */
const PAGE_ENTRIES = 100

/** Of one connection at a time: each holds a page of entries. */
const BROWSERS_MAX = 16

/** Begins; the messages follow in later turns. Throws Refused for what is no queue, or may not be looked at. */
export function browseFor(client: StompConnection, headers: FrameHeaders, subscription: Subscription, sources: readonly Source[]): void {
  const [source, ...more] = sources
  if (source?.kind !== 'queue' || more.length > 0) throw new Refused(headers, 'header browser: only one queue can be browsed, not a topic and no list')
  const onAccessLost = (text: string): void => client.refuse(`SUBSCRIBE to ${subscription.destination} has ended: ${text}`, '')
  const browsing = client.session.openBrowsing({ queue: source.queue, onAccessLost })
  try {
    begin(client, headers, subscription, browsing)
  } catch (error) {
    browsing.end()
    throw error
  }
}

function begin(client: StompConnection, headers: FrameHeaders, subscription: Subscription, browsing: Browsing): void {
  const { queue, refusal } = browsing
  if (refusal !== undefined) throw new Refused(headers, refusal)
  const named = client.adapter.vhost.destinations.find(queue)
  if (named === undefined) throw new Refused(headers, `there is no queue '${queue}' to browse`)
  const selector = selectorOf(headers)
  if (client.browserCount >= BROWSERS_MAX) {
    throw new Refused(headers, `${client.browserCount} subscriptions of the connection browse already, the limit; wait for their end (browser:end)`)
  }
  client.browserCount++
  let isOver = false
  subscription.stopBrowsing = () => {
    isOver = true
    browsing.end()
  }
  const done = client.unfinished.begin()
  const finished = (): void => {
    client.browserCount--
    browsing.end()
    done()
  }
  run(client, subscription, named.queue, browsing, selector, () => isOver).then(finished, (error: unknown) => {
    finished()
    client.fail(error)
  })
}

async function run(
  client: StompConnection,
  subscription: Subscription,
  queue: Queue,
  browsing: Browsing,
  selector: Selector | undefined,
  isOver: () => boolean,
): Promise<void> {
  const head = subscription.browsedHeadFor(QUEUE_PREFIX + queue.name)
  const mayMatch = (message: Message): boolean => browsing.maySee(message)
  let after: string | undefined = undefined
  for (;;) {
    const page: Awaited<ReturnType<typeof browse>> = await browse(queue, { limit: PAGE_ENTRIES, selector, mayMatch, ...(after !== undefined && { after }) })
    if (isOver()) return
    for (const entry of page.entries) {
      await client.whenWritable()
      if (isOver()) return
      const { refusal } = browsing
      if (refusal !== undefined) return browsing.onAccessLost(refusal)
      if (browsing.maySee(entry.message)) write(client, head, entry)
    }
    if (page.cursor === undefined) break
    after = page.cursor
  }
  const end = encodeLines([['browser', 'end']], client.version)
  writeMessage(client.transport, head, client.nextTag(), end, 0, end.length, end, 0, 0)
}

function write(client: StompConnection, head: MessageHead, entry: BrowsedEntry): void {
  const { message, redelivered, failedCount } = entry
  const own = encodeLines(pairsOf({ message, redelivered, failedCount, retained: false }), client.version)
  const isOwn = message.codec === stompHeaders || message.codec === stompTextHeaders
  const theirs = linesFor(isOwn ? message.headerBytes : message.headerBytesFor(stompHeaders), client.version)
  writeWithLines(client, head, client.nextTag(), Buffer.concat([own, theirs]), message)
}
