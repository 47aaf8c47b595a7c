/** Rules between settings: each alone is allowed, together they are not, or make no sense. */
import { isIPv6 } from 'node:net'
import { listenersOf, type NamedListener } from './listener-rules.ts'
import type { Problems } from './problems.ts'
import type { BrokerConfig, QueuePolicy } from './types.ts'

/** Where the value of a key came from, to begin a sentence with: 'config.yaml:12:5: ', '' for a default. */
export type Origin = (key: string) => string

/** Files that a journal has at least: the one being written, one to be emptied and its copy. */
const SEGMENTS_MIN = 3

export function checkRules(config: BrokerConfig, origin: Origin, problems: Problems): void {
  const listeners = listenersOf(config)
  for (const listener of listeners) checkTls(listener, origin, problems)
  checkCertificate('console.tls', config.console.tls, origin, problems)
  checkEncryption(config, origin, problems)
  checkAddresses(config, listeners, origin, problems)
  if (!listeners.some(([, { enabled }]) => enabled))
    problems.warn('every listener is disabled, so no client can connect; set listeners.mqtt.enabled=true')
  checkQueueBytes(config, origin, problems)
  checkMessageBytes(config, origin, problems)
  checkUnfinishedBytes(config, origin, problems)
  checkQueues(config, origin, problems)
}

/** Something that listens, by its key. */
interface Listening {
  readonly key: string
  readonly host: string
  readonly port: number
}

/** The system would refuse the second of two at the same address as busy. */
function checkAddresses(
  config: BrokerConfig,
  listeners: readonly NamedListener[],
  origin: Origin,
  problems: Problems,
): void {
  const enabled = listeners
    .filter(([, each]) => each.enabled)
    .map(([name, { host, port }]): Listening => ({ key: `listeners.${name}`, host, port }))
  if (config.console.enabled) enabled.push({ key: 'console', host: config.console.host, port: config.console.port })
  enabled.forEach((one, index) => {
    const other = enabled.slice(0, index).find((earlier) => shareAnAddress(earlier, one))
    if (other !== undefined) problems.add(() => origin(`${one.key}.port`) + sameAddress(other, one))
  })
}

function checkTls([name, { tls }]: NamedListener, origin: Origin, problems: Problems): void {
  if (tls === undefined) return
  const key = `listeners.${name}.tls`
  checkCertificate(key, tls, origin, problems)
  if (tls.clientCertificate !== 'none' && tls.ca === undefined) {
    problems.add(
      () =>
        `${origin(`${key}.clientCertificate`)}${key}.clientCertificate is "${tls.clientCertificate}" and ${key}.ca is not set; ` +
        `set ${key}.ca to the file with the authorities that sign client certificates`,
    )
  }
  if (tls.identity !== 'none' && tls.clientCertificate === 'none') {
    problems.add(
      () =>
        `${origin(`${key}.identity`)}${key}.identity is "${tls.identity}" and ${key}.clientCertificate is "none", so there is no ` +
        `certificate to take a name from; set ${key}.clientCertificate to "request" or "require"`,
    )
  }
  if (tls.ca !== undefined && tls.clientCertificate === 'none') {
    problems.warn(`${origin(`${key}.ca`)}${key}.ca has no effect while ${key}.clientCertificate is "none"`)
  }
}

function checkCertificate(
  key: string,
  tls: { readonly cert?: string | undefined; readonly key?: string | undefined },
  origin: Origin,
  problems: Problems,
): void {
  if (tls.cert !== undefined && tls.key === undefined)
    problems.add(() => origin(`${key}.cert`) + oneWithoutOther(key, 'cert', 'key'))
  if (tls.key !== undefined && tls.cert === undefined)
    problems.add(() => origin(`${key}.key`) + oneWithoutOther(key, 'key', 'cert'))
}

/** A certificate that everyone must show is worth nothing when one may come without TLS. */
function checkEncryption({ listeners: { any } }: BrokerConfig, origin: Origin, problems: Problems): void {
  if (!any.enabled || any.encryption === 'required' || any.tls.clientCertificate !== 'require') return
  problems.add(
    () =>
      `${origin('listeners.any.tls.clientCertificate')}listeners.any.tls.clientCertificate is "require" and listeners.any.encryption is ` +
      `"${any.encryption}", so clients without TLS would show no certificate; set listeners.any.encryption to "required"`,
  )
}

function oneWithoutOther(key: string, set: string, missing: string): string {
  return `${key}.${set} is set and ${key}.${missing} is not; set both, or neither to use the development certificate`
}

function shareAnAddress(a: Listening, b: Listening): boolean {
  if (a.port !== b.port || a.port === 0) return false
  return a.host.toLowerCase() === b.host.toLowerCase() || includes(a.host, b.host) || includes(b.host, a.host)
}

/** '::' listens on all addresses of both families, '0.0.0.0' on all of IPv4. */
function includes(outer: string, inner: string): boolean {
  return outer === '::' || (outer === '0.0.0.0' && !isIPv6(inner))
}

function sameAddress(first: Listening, { key, host, port }: Listening): string {
  const there = first.host === host ? `${host}:${port}` : `port ${port} of ${host}, which ${first.host} shares`
  return `${key} and ${first.key} both listen on ${there}; give one of them another port`
}

function checkQueueBytes({ mqtt }: BrokerConfig, origin: Origin, problems: Problems): void {
  if (mqtt.maxQueuedBytes >= mqtt.maxPacketBytes) return
  problems.warn(
    `${origin('mqtt.maxQueuedBytes')}mqtt.maxQueuedBytes is ${mqtt.maxQueuedBytes} and mqtt.maxPacketBytes is ${mqtt.maxPacketBytes}, ` +
      `so the largest messages can never wait for a subscriber`,
  )
}

function checkMessageBytes({ mqtt, limits }: BrokerConfig, origin: Origin, problems: Problems): void {
  if (mqtt.maxPacketBytes <= limits.maxMessageBytes) return
  problems.warn(
    `${origin('mqtt.maxPacketBytes')}mqtt.maxPacketBytes is ${mqtt.maxPacketBytes} and limits.maxMessageBytes is ${limits.maxMessageBytes}, ` +
      `so MQTT clients are told the second`,
  )
}

function checkUnfinishedBytes({ mqtt, stomp, amqp, limits }: BrokerConfig, origin: Origin, problems: Problems): void {
  for (const [key, bytes] of [
    ['mqtt.maxPacketBytes', mqtt.maxPacketBytes],
    ['stomp.maxBodyBytes', stomp.maxBodyBytes],
    ['amqp.maxMessageBytes', amqp.maxMessageBytes],
  ] as const) {
    const bytesMax = Math.min(bytes, limits.maxMessageBytes)
    if (bytesMax < limits.unfinishedBytesMax) continue
    problems.warn(
      `${origin('limits.unfinishedBytesMax')}limits.unfinishedBytesMax is ${limits.unfinishedBytesMax} and ${key} lets ${bytesMax} bytes in, ` +
        `so the largest messages can never come in whole`,
    )
  }
}

function checkQueues({ store, queues, policies }: BrokerConfig, origin: Origin, problems: Problems): void {
  if (store.maxBytes > 0 && store.maxBytes < SEGMENTS_MIN * store.segmentBytes) {
    problems.add(
      () =>
        `${origin('store.maxBytes')}store.maxBytes is ${store.maxBytes}, less than ${SEGMENTS_MIN} times store.segmentBytes (${store.segmentBytes}), ` +
        `so no space could ever come back; raise store.maxBytes or lower store.segmentBytes`,
    )
  }
  checkTimes('queues', queues, origin('queues.ttlMs'), problems)
  checkPolicies(policies, origin('policies'), problems)
}

export function checkPolicies(policies: readonly QueuePolicy[], where: string, problems: Problems): void {
  for (const [index, { settings }] of policies.entries()) {
    checkTimes(`policies[${index}].settings`, settings, where, problems)
  }
}

/** Alone a default that is longer than the maximum is allowed: it would be cut without a word. */
function checkTimes(
  key: string,
  { ttlMs = 0, ttlMaxMs = 0 }: QueuePolicy['settings'],
  where: string,
  problems: Problems,
): void {
  if (ttlMaxMs === 0 || ttlMs <= ttlMaxMs) return
  problems.add(
    () => `${where}${key}.ttlMs is ${ttlMs} and ${key}.ttlMaxMs is ${ttlMaxMs}; the first must not be the longer one`,
  )
}
