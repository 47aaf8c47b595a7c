/**
 * SUBSCRIBE to `$queue/NAME`: the client becomes a consumer of that queue, or with `*` and `>` of all that match. Names are the
 * queues' own, as they are; MQTT's wildcards mean nothing in them. [ADR-0007]
 */
import { isQueuePattern, type Queue, QUEUE_PREFIX } from '@ternmq/core'
import { isMqttText } from '@ternmq/naming'
import { quote } from '../codec/errors.ts'
import { ReasonCode } from '../codec/reason-codes.ts'
import type { FilterRequest } from '../codec/types.ts'
import type { MqttConnection } from '../connection.ts'
import { transientMaxOf } from '../settings.ts'
import { REASON_CODE_BY_REFUSAL } from './refusals.ts'

/** Longest pattern of queues, as long as the longest name. */
const PATTERN_LENGTH_MAX = 1_024

/** Returns the granted QoS, or a reason code of 0x80 and above. */
export function subscribeToQueue(
  client: MqttConnection,
  request: FilterRequest,
  name: string,
  subscriptionId: number | undefined,
): number {
  const fault = faultOf(name)
  if (fault !== undefined) {
    client.noteProblem(`topic filter ${quote(request.filter)} is invalid: ${fault}`)
    return ReasonCode.topicFilterInvalid
  }
  if (request.noLocal) {
    client.noteProblem(`No Local is for topics: a queue hands each message to one consumer, whoever sent it ('${request.filter}')`)
    return ReasonCode.implementationSpecificError
  }
  const { settings, vhost } = client.adapter
  const isNew = name.includes('/') && vhost.destinations.find(name) === undefined
  const qos = request.qos > settings.maxQos ? settings.maxQos : request.qos
  const data = subscriptionId === undefined ? { queue: true } : { queue: true, subscriptionId }
  const added = client.session.consume({ queue: name, assuranceMax: qos, ...transientMaxOf(settings), data })
  if (!added.ok) {
    client.noteProblem(added.detail.text)
    return REASON_CODE_BY_REFUSAL[added.detail.refusal]
  }
  if (isNew) hint(client, name)
  return qos
}

/**
 * False for a queue of another protocol whose name no PUBLISH can have: `$queue/>` matches it, and its messages stay for those who can
 * name it. [MQTT5-3.3.2-2] [MQTT311-3.3.2-2]
 */
export function canName(client: MqttConnection, { name }: Queue): boolean {
  if (!/[+#]/.test(name) && isMqttText(name)) return true
  const text = `queue ${quote(name)} matches a subscription and MQTT cannot write its name ('+', '#' and U+0000 cannot be in a topic): its messages stay for clients of other protocols`
  client.adapter.hint(client, text)
  return false
}

/** Why it can be neither a queue's name nor a pattern of queues. */
function faultOf(name: string): string | undefined {
  if (name === '') return `the name of the queue is missing behind '${QUEUE_PREFIX}'`
  if (/[+#]/.test(name)) {
    return "'+' and '#' are for topics; queues have levels with '.' between, and 'orders.*' and 'orders.>' match several"
  }
  const levels = name.split('.')
  if (levels.indexOf('>') !== -1 && levels.indexOf('>') !== levels.length - 1) return "'>' must be the whole last level"
  if (isQueuePattern(name) && name.length > PATTERN_LENGTH_MAX) {
    return `a pattern of queues has at most ${PATTERN_LENGTH_MAX} characters, not ${name.length}`
  }
  return undefined
}

/** EMQX has `$queue/` for shared subscriptions without a group: whoever means that waits for messages that never come. */
function hint(client: MqttConnection, name: string): void {
  const address = QUEUE_PREFIX + name
  const text = `${quote(address)} is the queue ${quote(name)} here, new with this subscription; for a shared subscription use ${quote(`$share/GROUP/${name}`)}`
  client.adapter.hint(client, text)
}
