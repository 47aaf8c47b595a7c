/** Bodies that another protocol keeps in a form of its own: receivers get what it makes of them. */
import type { HeaderCodec, Headers } from '@ternmq/core'
import { expect, it } from 'vitest'
import { World } from '../../harness.ts'
import { onlyPublish, subscriber } from '../mqtt5/scenes.ts'
import { publishElsewhere } from './elsewhere.ts'

/** Upper case for others. */
function coded(headers: Headers): HeaderCodec {
  return {
    id: 'coded',
    decode: () => headers,
    encode: () => new Uint8Array(0),
    readBody: (message) => Buffer.from(Buffer.from(message.body).toString().toUpperCase()),
  }
}

it.each([
  [4, 0],
  [4, 1],
  [5, 0],
  [5, 2],
] as const)('version %i at QoS %i', (version, qos) => {
  const world = new World()
  const client = subscriber(world, 'c', version === 5 ? { filter: 'a', qos } : 'a', { version })
  publishElsewhere(world, 'a', 'straße', { codec: coded({ properties: [['n', '1']] }) })
  expect(onlyPublish(client).payload).toBe('STRASSE')
})

it('is text where it is that in its form for others', () => {
  const world = new World()
  const client = subscriber(world, 'c', 'a')
  publishElsewhere(world, 'a', 'x', { codec: coded({ text: true, contentType: 'application/json', properties: [] }) })
  expect(onlyPublish(client)).toMatchObject({
    payload: 'X',
    properties: { payloadFormatIndicator: 1, contentType: 'application/json' },
  })
})

it('comes from a queue, and as retained', () => {
  const world = new World()
  const codec = coded({ properties: [] })
  publishElsewhere(world, '$queue/q', 'queued', { codec })
  publishElsewhere(world, 'a', 'kept', { codec, retain: true })
  expect(onlyPublish(subscriber(world, 'c1', '$queue/q')).payload).toBe('QUEUED')
  expect(onlyPublish(subscriber(world, 'c2', 'a')).payload).toBe('KEPT')
})
