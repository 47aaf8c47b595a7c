/** What a script gets of a message: all of it, with addresses that it can publish to. */
import type { MessageBody } from '@ternmq/api'
import type { Headers, Message } from '@ternmq/core'
import { addressSpelling } from '@ternmq/naming'
import { bodyOf } from '../messages/message-body.ts'
import { factsOf, type MessageFacts } from '../messages/message-item.ts'

export interface TakenFacts extends MessageFacts {
  readonly properties: Headers['properties']
  readonly body: MessageBody
}

const SPELLING = addressSpelling('rest')

export function takenFacts(message: Message): TakenFacts {
  const { properties, replyTo } = message.headers
  return {
    ...factsOf(message),
    replyTo: replyTo === undefined ? undefined : SPELLING.write(replyTo),
    properties,
    body: bodyOf(message.foreignBody, Infinity),
  }
}
