/** What is published: its body from an argument, a file or standard input, its headers from options. */
import type { PublishBody } from '@ternmq/api'
import { readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import type { Values } from '../cli/command.ts'
import { durationMs, pair } from '../cli/parse.ts'
import { type StdinInput, stdinOf } from '../cli/stdin.ts'
import { BrokerError, messageOf, UsageError } from '../errors.ts'

export const PUBLISH_OPTIONS = {
  file: { type: 'string', value: 'FILE', summary: 'the body is this file; - is standard input' },
  'content-type': { type: 'string', value: 'TYPE', summary: 'such as application/json' },
  property: { type: 'string', multiple: true, value: 'KEY=VALUE', summary: 'a property; may be repeated' },
  ttl: { type: 'string', value: 'TIME', summary: 'how long it lives: 30s, 5m, 2h' },
  delay: { type: 'string', value: 'TIME', summary: 'it is sent so much later' },
  priority: { type: 'string', value: 'N', summary: '0 to 9; 4 when left out' },
  retain: { type: 'boolean', summary: 'its topic keeps it for who subscribes next' },
  'not-durable': { type: 'boolean', summary: 'it need not survive a restart' },
  'message-id': { type: 'string', value: 'ID', summary: 'its id' },
  'correlation-id': { type: 'string', value: 'ID', summary: 'what it answers' },
  'reply-to': { type: 'string', value: 'ADDRESS', summary: 'where answers go' },
  type: { type: 'string', value: 'TYPE', summary: 'its type or subject' },
  group: { type: 'string', value: 'ID', summary: 'messages of one group go to one consumer' },
} as const

/** Throws UsageError, BrokerError. */
export async function readBody(
  text: string | undefined,
  file: string | undefined,
  input: StdinInput,
): Promise<Uint8Array> {
  if (text !== undefined && file !== undefined) throw new UsageError('BODY and --file exclude one another')
  if (text !== undefined) return Buffer.from(text)
  if (file === undefined || file === '-') return buffer(stdinOf(input, 'the body'))
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new BrokerError('FILE_UNREADABLE', `cannot read --file ${file}: ${messageOf(cause)}`, { cause })
  }
}

/** Throws UsageError. */
export function publishBodyOf(address: string, bytes: Uint8Array, values: Values<typeof PUBLISH_OPTIONS>): PublishBody {
  const properties = values.property?.map((text) => pair(text, 'property'))
  return {
    address,
    ...encoded(bytes),
    contentType: values['content-type'],
    durable: values['not-durable'] === true ? false : undefined,
    priority: priorityOf(values.priority),
    ttlMs: durationMs('ttl', values.ttl),
    delayMs: durationMs('delay', values.delay),
    retain: values.retain,
    messageId: values['message-id'],
    correlationId: values['correlation-id'],
    replyTo: values['reply-to'],
    type: values.type,
    groupId: values.group,
    properties: properties && Object.fromEntries(properties),
  }
}

/** As text where it is one. */
function encoded(bytes: Uint8Array): Pick<PublishBody, 'body' | 'encoding'> {
  try {
    return { body: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), encoding: 'text' }
  } catch {
    return { body: Buffer.from(bytes).toString('base64'), encoding: 'base64' } // no UTF-8
  }
}

function priorityOf(text: string | undefined): number | undefined {
  if (text !== undefined && !/^[0-9]$/.test(text)) throw new UsageError(`--priority is '${text}'; it is 0 to 9`)
  return text === undefined ? undefined : Number(text)
}
