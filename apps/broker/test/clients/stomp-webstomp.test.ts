/** Raw WebSocket clients of the kind of webstomp: text frames in both directions, over ws and wss. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { RunningBroker } from './running-broker.ts'
import { StompJsClient } from './stomp-js-client.ts'
import { WebstompClient } from './webstomp-client.ts'

let broker: RunningBroker

beforeAll(async () => {
  broker = await RunningBroker.start('stomp.heartBeatMs=1000')
})

afterAll(() => broker.stop())

/** Nobody else's. */
function fresh(kind: 'queue' | 'topic'): string {
  return `/${kind}/test.${randomUUID()}`
}

describe.each(['ws', 'wss'] as const)('over %s', (listener) => {
  test.each([
    [['v10.stomp', 'v11.stomp', 'v12.stomp'], 'v12.stomp'],
    [['v11.stomp'], 'v11.stomp'],
    [[], ''],
  ])('with sub-protocols %j a text comes back as a text', async (offered, chosen) => {
    await using client = await WebstompClient.connect(broker, listener, {}, offered)
    expect(client.socket.protocol).toBe(chosen)
    expect((await client.next('CONNECTED')).headers).toMatchObject({ version: '1.2' })
    const destination = fresh('topic')
    await client.receipted('SUBSCRIBE', { id: '0', destination })
    client.send('SEND', { destination, unit: '°C' }, 'grüße €😀')
    const message = await client.next('MESSAGE')
    expect(message).toMatchObject({ body: 'grüße €😀', headers: { destination, subscription: '0', unit: '°C' } })
    // Long ones, in pieces, many in one turn.
    const long = 'ö€😀'.repeat(20_000)
    for (let index = 0; index < 5; index++) client.send('SEND', { destination }, `${index}${long}`)
    for (let index = 0; index < 5; index++) expect((await client.next('MESSAGE')).body).toBe(`${index}${long}`)
    await client.receipted('DISCONNECT')
    await client.until('close', () => client.closeCode !== undefined)
    expect(client.closeCode).toBe(1000)
    expect(client.gotBinary).toBe(false)
  })

  test('a frame may be spread over WebSocket frames, and a WebSocket frame hold several', async () => {
    await using client = await WebstompClient.connect(broker, listener)
    await client.next('CONNECTED')
    const destination = fresh('topic')
    const subscribe = `SUBSCRIBE\nid:0\ndestination:${destination}\n\n\0`
    const send = `SEND\ndestination:${destination}\n\nhällo\0\n`
    for (const character of subscribe) client.socket.send(character)
    client.socket.send(send + send)
    expect((await client.next('MESSAGE')).body).toBe('hällo')
    expect((await client.next('MESSAGE')).body).toBe('hällo')
  })

  test('heart-beats go both ways', async () => {
    await using client = await WebstompClient.connect(broker, listener, { 'heart-beat': '1000,1000' })
    expect((await client.next('CONNECTED')).headers['heart-beat']).toBe('1000,1000')
    const timer = setInterval(() => client.socket.send('\n'), 900)
    try {
      await client.until('heart-beats', () => client.heartBeatCount >= 3)
    } finally {
      clearInterval(timer)
    }
    await client.receipted('BEGIN', { transaction: 't' })
    expect(client.closeCode).toBeUndefined()
  })

  test('a client that agreed on heart-beats and sends none is told so and disconnected', async () => {
    await using client = await WebstompClient.connect(broker, listener, { 'heart-beat': '1000,0' })
    const { headers } = await client.next('ERROR')
    expect(headers['message']).toMatch(/heart-beats were agreed on/)
    await client.until('close', () => client.closeCode !== undefined)
  })

  test('acknowledgements, transactions and errors', async () => {
    await using client = await WebstompClient.connect(broker, listener)
    const destination = fresh('queue')
    await client.receipted('SUBSCRIBE', { id: '0', destination, ack: 'client-individual' })
    await client.receipted('BEGIN', { transaction: 't' })
    client.send('SEND', { destination, transaction: 't' }, 'work')
    await client.receipted('COMMIT', { transaction: 't' })
    const { headers } = await client.next('MESSAGE')
    await client.receipted('ACK', { id: headers['ack']! })
    client.send('ACK', { id: headers['ack']! })
    const error = await client.next('ERROR')
    expect(error.headers['message']).toMatch(/settled already/)
    await client.until('close', () => client.closeCode !== undefined)
    expect(client.gotBinary).toBe(false)
  })

  test('texts of others come in text frames, bytes of others in a binary one', async () => {
    await using client = await WebstompClient.connect(broker, listener)
    const destination = fresh('topic')
    await client.receipted('SUBSCRIBE', { id: '0', destination })
    await using other = await StompJsClient.connect(broker, { listener })
    await other.send(destination, 'a text')
    expect((await client.next('MESSAGE')).body).toBe('a text')
    expect(client.gotBinary).toBe(false)
    await other.send(destination, Uint8Array.of(0xff, 0xfe))
    await client.until('binary frame', () => client.gotBinary)
  })
})
