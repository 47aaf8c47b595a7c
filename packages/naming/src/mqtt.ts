/** Addresses of MQTT: topic names and filters are the core's own form; queues and shared subscriptions have a first level of their own. */
import { QUEUE_PREFIX } from '@ternmq/core'
import { topicAddress } from './address.ts'
import { readSlashed } from './levels.ts'
import { type Attempt, checkLevels, queueOf, type Reading } from './reading.ts'
import { AddressRefused, quote } from './refusal.ts'

const SHARE_PREFIX = '$share/'
/** In patterns of queues; anywhere else '>' would be an ordinary character that looks like one. */
const BELOW_BEFORE_END = /(^|\.)>\./

export function readMqtt(text: string, attempt: Attempt): Reading {
  if (text.startsWith(QUEUE_PREFIX)) {
    attempt.rule = 'mqtt-queue'
    return { rule: 'mqtt-queue', address: mqttQueue(text.slice(QUEUE_PREFIX.length)) }
  }
  if (attempt.isReceiving && text.startsWith(SHARE_PREFIX)) {
    attempt.rule = 'mqtt-share'
    return { rule: 'mqtt-share', address: share(text.slice(SHARE_PREFIX.length), attempt) }
  }
  attempt.rule = 'mqtt-name'
  return { rule: 'mqtt-name', address: topicAddress(checkLevels(readSlashed(text, attempt.isReceiving), attempt)) }
}

function mqttQueue(name: string): ReturnType<typeof queueOf> {
  const wildcard = /[+#]/.exec(name)?.[0]
  if (wildcard !== undefined) {
    throw new AddressRefused(
      `'${wildcard}' is for topics; queues have levels with '.' between, and 'orders.*' and 'orders.>' match several`,
    )
  }
  if (BELOW_BEFORE_END.test(name))
    throw new AddressRefused(`${quote(name)} has '>' before its end; it must be the whole last level`)
  return queueOf(name)
}

/** [MQTT5-4.8.2-1] [MQTT5-4.8.2-2] */
function share(text: string, attempt: Attempt): Reading['address'] {
  const end = text.indexOf('/')
  const group = end < 0 ? text : text.slice(0, end)
  if (group === '' || /[+#]/.test(group)) {
    throw new AddressRefused(`a shared subscription is $share/GROUP/FILTER, and ${quote(group)} is no name of a group`)
  }
  const filter = end < 0 ? '' : text.slice(end + 1)
  if (filter === '') throw new AddressRefused('a shared subscription is $share/GROUP/FILTER, and the filter is missing')
  if (filter.startsWith(QUEUE_PREFIX))
    throw new AddressRefused(`a queue is shared already: subscribe to ${quote(filter)}`)
  return { kind: 'share', group, levels: checkLevels(readSlashed(filter, true), attempt) }
}
