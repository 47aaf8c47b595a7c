/** A message as it comes back from the store. */
import type { Stored } from '@ternmq/store'
import { type HeaderCodec, Message } from '../message/message.ts'
import { messageExtras, readMessageMeta } from './message-record.ts'

/** Keeps nothing of the record's memory. Throws when no adapter of this broker reads its headers. */
export function messageOfStored(record: Stored, codecs: ReadonlyMap<string, HeaderCodec>): Message {
  const logged = readMessageMeta(record.meta)
  const codec = codecs.get(logged.codecId)
  if (codec === undefined) {
    throw new Error(`log record ${record.lsn} has headers of format '${logged.codecId}', which no adapter of this broker reads`)
  }
  const message = new Message({
    topic: logged.topic,
    codec,
    bytes: record.body!,
    start: record.bodyStart,
    headerStart: record.bodyStart,
    bodyStart: record.bodyStart + logged.headerBytes,
    end: record.bodyEnd,
    assurance: logged.assurance,
    durable: logged.durable,
    retain: logged.retain,
    expiresAtMs: logged.expiresAtMs,
    publisher: logged.publisher,
    priority: logged.priority,
    extras: messageExtras(logged.extras),
  })
  message.lsn = record.lsn
  message.detach()
  return message
}
