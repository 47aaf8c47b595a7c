/** Code that publishes the same message again, for the clients that people use. */
import type { MessageBody, PublishBody } from '@ternmq/api'
import { publishMessage } from '@ternmq/api'
import { curlOf, shellQuote } from '../../lib/curl.ts'
import { stompSpelling, uriSpelling } from './spellings.ts'

export interface Sample {
  /** In core form. */
  readonly address: string
  readonly body: MessageBody
  readonly durable: boolean
  readonly priority: number
  readonly contentType?: string | undefined
  readonly properties: ReadonlyArray<readonly [key: string, value: string]>
}

export interface CodeStyle {
  readonly key: string
  readonly label: string
  /** `origin` is the console's, `host` where the listeners are. */
  readonly write: (sample: Sample, origin: string, host: string) => string
}

export const CODE_STYLES: readonly CodeStyle[] = [
  {
    key: 'curl',
    label: 'curl',
    write: (sample, origin) => curlOf(origin, publishMessage, { body: publishBodyOf(sample) }),
  },
  { key: 'ternmq', label: 'ternmq', write: writeCommand },
  { key: 'mqttjs', label: 'MQTT.js', write: writeMqttJs },
  { key: 'paho', label: 'Python (paho)', write: writePaho },
  { key: 'stompjs', label: 'STOMP.js', write: writeStompJs },
  { key: 'rhea', label: 'AMQP (rhea)', write: writeRhea },
]

/** Properties that come twice have one value here: the API takes an object. */
export function publishBodyOf(sample: Sample): PublishBody {
  return {
    address: uriSpelling(sample.address),
    body: sample.body.value,
    encoding: sample.body.encoding === 'base64' ? 'base64' : undefined,
    contentType: sample.contentType,
    durable: sample.durable,
    priority: sample.priority,
    properties: sample.properties.length === 0 ? undefined : Object.fromEntries(sample.properties),
  }
}

/** A literal of JavaScript, and of Python as well: JSON, with what ends a line in one and not in the other escaped. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}

function jsObject(pairs: ReadonlyArray<readonly [string, string]>): string {
  return `{ ${Object.entries(Object.fromEntries(pairs))
    .map(([key, value]) => `${quote(key)}: ${quote(value)}`)
    .join(', ')} }`
}

function jsBody(body: MessageBody): string {
  return body.encoding === 'base64' ? `Buffer.from(${quote(body.value)}, 'base64')` : quote(body.value)
}

function writeCommand(sample: Sample): string {
  const flags = sample.properties.map(([key, value]) => ` --property ${shellQuote(`${key}=${value}`)}`).join('')
  const address = shellQuote(uriSpelling(sample.address))
  if (sample.body.encoding === 'base64')
    return `echo ${sample.body.value} | base64 -d | ternmq messages publish ${address}${flags} --file -`
  return `ternmq messages publish ${address}${flags} --body ${shellQuote(sample.body.value)}`
}

function writeMqttJs(sample: Sample, _origin: string, host: string): string {
  const properties =
    sample.properties.length === 0 ? '' : `, properties: { userProperties: ${jsObject(sample.properties)} }`
  return [
    `import mqtt from 'mqtt'`,
    ``,
    `const client = await mqtt.connectAsync('mqtt://${host}:1883', { protocolVersion: 5, username: 'USER', password: 'PASSWORD' })`,
    `await client.publishAsync(${quote(sample.address)}, ${jsBody(sample.body)}, { qos: ${sample.durable ? 1 : 0}${properties} })`,
    `await client.endAsync()`,
  ].join('\n')
}

function writePaho(sample: Sample, _origin: string, host: string): string {
  const body =
    sample.body.encoding === 'base64' ? `base64.b64decode(${quote(sample.body.value)})` : quote(sample.body.value)
  return [
    ...(sample.body.encoding === 'base64' ? ['import base64'] : []),
    `import paho.mqtt.publish as publish`,
    ``,
    `publish.single(${quote(sample.address)}, ${body}, qos=${sample.durable ? 1 : 0}, hostname=${quote(host)},`,
    `               auth={"username": "USER", "password": "PASSWORD"})`,
  ].join('\n')
}

function writeStompJs(sample: Sample, _origin: string, host: string): string {
  const headers = [...(sample.durable ? [['persistent', 'true'] as const] : []), ...sample.properties]
  const body =
    sample.body.encoding === 'base64'
      ? `binaryBody: Uint8Array.from(atob(${quote(sample.body.value)}), (char) => char.charCodeAt(0))`
      : `body: ${quote(sample.body.value)}`
  return [
    `import { Client } from '@stomp/stompjs'`,
    ``,
    `const client = new Client({ brokerURL: 'ws://${host}:8083', connectHeaders: { login: 'USER', passcode: 'PASSWORD' } })`,
    `client.onConnect = () => client.publish({ destination: ${quote(stompSpelling(sample.address))}, headers: ${jsObject(headers)}, ${body} })`,
    `client.activate()`,
  ].join('\n')
}

function writeRhea(sample: Sample, _origin: string, host: string): string {
  const body =
    sample.body.encoding === 'base64' ? `rhea.message.data_section(${jsBody(sample.body)})` : quote(sample.body.value)
  const properties = sample.properties.length === 0 ? '' : `, application_properties: ${jsObject(sample.properties)}`
  return [
    `import rhea from 'rhea'`,
    ``,
    `const connection = rhea.connect({ host: ${quote(host)}, port: 5672, username: 'USER', password: 'PASSWORD' })`,
    `connection.open_sender(${quote(uriSpelling(sample.address))})`,
    `rhea.once('sendable', ({ sender }) => sender.send({ body: ${body}, durable: ${sample.durable}, priority: ${sample.priority}${properties} }))`,
    `rhea.once('accepted', () => connection.close())`,
  ].join('\n')
}
