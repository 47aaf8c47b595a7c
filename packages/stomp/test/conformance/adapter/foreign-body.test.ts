/** Bodies that another protocol keeps in a form of its own: receivers get what it makes of them. */
import type { HeaderCodec } from '@ternmq/core'
import { expect, it } from 'vitest'
import { subscribe, World } from '../../harness.ts'

/** Upper case for others. */
const coded: HeaderCodec = {
  id: 'coded',
  decode: () => ({ contentType: 'text/plain', properties: [] }),
  encode: () => new Uint8Array(0),
  readBody: (message) => Buffer.from(Buffer.from(message.body).toString().toUpperCase()),
}

it.each([{}, { browser: true }])('a subscriber with %j gets it, with its own length', async (headers) => {
  const world = new World()
  world.publish('$queue/q', 'straße', 1, coded)
  const client = world.connect()
  client.send(subscribe('s', '/queue/q', headers))
  await world.settle()
  expect(client.messages()[0]).toMatchObject({
    body: 'STRASSE',
    headers: { 'content-length': '7', 'content-type': 'text/plain' },
  })
})
