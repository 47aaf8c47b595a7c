/** Messages as tables and rows. */
import { hexDump, isReadable, type MessageBody, type MessageItem } from '@ternmq/api'
import { several, sizeText, timeText } from '../cli/format.ts'
import type { Listing } from '../cli/output.ts'
import { row } from '../cli/table.ts'
import { safeLines, safeText } from '../cli/text.ts'

export const MESSAGE_LISTING: Listing<MessageItem> = {
  columns: [
    { title: 'ID', value: ({ id }) => id },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'ADDRESS', value: ({ address }) => address, cut: true },
    { title: 'ARRIVED', value: ({ arrivedAtMs }) => timeText(arrivedAtMs) },
    { title: 'BODY', value: (item) => sizeText(item.bodyBytes), right: true },
    { title: 'TYPE', value: ({ contentType = '' }) => contentType, cut: true, extra: true },
    { title: 'FORMAT', value: ({ format }) => format, extra: true },
    { title: 'PRIORITY', value: ({ priority }) => String(priority), right: true, extra: true },
    { title: 'FAILED', value: ({ failedCount }) => String(failedCount), right: true, extra: true },
    { title: 'EXPIRES', value: ({ expiresAtMs }) => timeText(expiresAtMs), extra: true },
    { title: 'DEAD BECAUSE', value: ({ deadLetter }) => deadText(deadLetter), cut: true, extra: true },
    { title: 'WITHHELD BECAUSE', value: ({ withheld = '' }) => withheld, cut: true, extra: true },
  ],
  name: ({ id }) => id,
  none: 'no messages',
}

function deadText(info: MessageItem['deadLetter']): string {
  if (info === undefined) return ''
  const { cause, reason, originalQueue } = info
  return [
    cause,
    reason === undefined ? '' : `: ${reason}`,
    originalQueue === undefined ? '' : `, of ${originalQueue}`,
  ].join('')
}

/** What there is to show of a message: one in a queue, one that was taken, or a retained one. */
export interface ShownMessage extends Omit<MessageItem, 'id' | 'state'> {
  readonly id?: string | undefined
  readonly state?: string | undefined
  readonly properties: ReadonlyArray<readonly [key: string, value: string]>
  readonly annotations?: Readonly<Record<string, string | number>> | undefined
  readonly body: MessageBody
}

/** Of a body, where all of it can be had by another command. */
export const SHOWN_BYTES_MAX = 4_096

/** `bodyBytesMax`: so much of its body; all that there is when left out, for what is gone when it has been printed. */
export function messageLines(message: ShownMessage, bodyBytesMax: number = Infinity): string[] {
  const { properties, annotations = {}, body, deadLetter, durable, redelivered, failedCount } = message
  const facts: ReadonlyArray<readonly [name: string, value: string | undefined]> = [
    ['id', message.id],
    ['state', message.state],
    ['address', message.address],
    ['format', message.format],
    ['size', `${sizeText(message.bytes)}, body ${sizeText(message.bodyBytes)}`],
    ['arrived', message.arrivedAtMs === undefined ? undefined : timeText(message.arrivedAtMs)],
    ['durable', durable ? 'yes' : 'no'],
    ['priority', String(message.priority)],
    ['expires', message.expiresAtMs === undefined ? undefined : timeText(message.expiresAtMs)],
    [
      'failed',
      failedCount === 0 && !redelivered
        ? undefined
        : `${several(failedCount, 'time')}${redelivered ? ', redelivered' : ''}`,
    ],
    ['publisher', message.publisher],
    ['user id', message.userId],
    ['application', message.appId],
    ['message id', message.messageId],
    ['correlation id', message.correlationId],
    ['content type', message.contentType],
    ['content encoding', message.contentEncoding],
    ['reply to', message.replyTo],
    ['type', message.type],
    ['group', message.groupId],
    ['timestamp', message.timestampMs === undefined ? undefined : timeText(message.timestampMs)],
    ['dead because', deadLetter === undefined ? undefined : deadText(deadLetter)],
    ['dead since', deadLetter?.atMs === undefined ? undefined : timeText(deadLetter.atMs)],
  ]
  const given = facts.flatMap(([name, value]) => (value === undefined ? [] : [row(name, safeText(value))]))
  return [
    ...given,
    ...properties.map(([key, value]) => row('property', `${safeText(key)} = ${safeText(value)}`)),
    ...Object.entries(annotations).map(([key, value]) =>
      row('annotation', `${safeText(key)} = ${safeText(String(value))}`),
    ),
    '',
    ...bodyLines(body, bodyBytesMax),
  ]
}

function bodyLines(body: MessageBody, bytesMax: number): string[] {
  const { encoding, value, bytes, truncated } = body
  const all = bodyBytes(body)
  const shown = all.subarray(0, bytesMax)
  const more =
    truncated || shown.length < all.length
      ? [`… the first ${sizeText(shown.length)} of ${sizeText(bytes)}; --body has all of it`]
      : []
  if (encoding !== 'base64' && isReadable(value)) return [safeLines(wholeCharacters(shown)), ...more]
  return [`${sizeText(bytes)} that are no text, in hexadecimal:`, ...hexDump(shown).split('\n'), ...more]
}

/** Without the half of one that the end may have cut. */
function wholeCharacters(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes, { stream: true })
}

/** What is there of it. */
export function bodyBytes({ encoding, value }: MessageBody): Uint8Array {
  return Buffer.from(value, encoding === 'base64' ? 'base64' : 'utf8')
}
