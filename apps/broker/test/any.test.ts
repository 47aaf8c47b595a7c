/** The port for all protocols of a whole broker: real clients, plain and over TLS, and those that are not served. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

import { client, nextMessage, openSocket, start, type Started, ternmq, until } from './support.ts'

/** The line of the log that says why a peer was turned away. */
async function refusalIn(broker: Started, pattern: RegExp): Promise<Record<string, unknown>> {
  const find = (): string | undefined => broker.program.lines.find((line) => pattern.test(line))
  await until(`a line like ${pattern.source}`, () => find() !== undefined)
  return JSON.parse(find() ?? '{}') as Record<string, unknown>
}

test.each([4, 5] as const)(
  'mqtt.js version %i finds its protocol, plain and over TLS, and both meet',
  async (protocolVersion) => {
    const broker = await start({ listeners: ['any'] })
    const port = broker.port('any')
    const ca = readFileSync(join(broker.dataDir, 'certificates', 'ca.pem'))
    const plain = await client(`mqtt://127.0.0.1:${port}`, { protocolVersion })
    const secure = await client(`mqtts://localhost:${port}`, {
      protocolVersion,
      ca,
      host: '127.0.0.1',
      servername: 'localhost',
    })
    await secure.subscribeAsync('a/b', { qos: 1 })
    const message = nextMessage(secure)
    await plain.publishAsync('a/b', 'x'.repeat(500_000), { qos: 1 })
    expect((await message).length).toBe(500_000)
  },
)

test('an OpenWire client is closed, and the log names the way in', async () => {
  const broker = await start({ listeners: ['any'] })
  const peer = await openSocket(broker.port('any'))
  peer.resume()
  peer.write(Buffer.from('\0\0\x01\x03\x01ActiveMQ\0\0\0\x0c', 'latin1'))
  await once(peer, 'end')
  const line = await refusalIn(broker, /OpenWire/)
  expect(line).toMatchObject({ level: 'warn', listener: 'any', kind: 'refused' })
  expect(line['msg']).toMatch(/AMQP 1\.0.*Qpid JMS/)
})

test('a browser is told which port WebSocket has', async () => {
  const broker = await start({ listeners: ['any', 'ws'] })
  const response = await fetch(`http://127.0.0.1:${broker.port('any')}/`)
  expect(response.status).toBe(400)
  const text = await response.text()
  expect(text).toMatch(/^This port is no web server: listener any speaks MQTT/)
  expect(text).toContain(`WebSocket clients connect to port ${broker.port('ws')} (ws).`)
})

test('without encryption it needs no certificate, and says that TLS is not spoken', async () => {
  const broker = await start({ listeners: ['any'], settings: ['listeners.any.encryption=none'] })
  await client(`mqtt://127.0.0.1:${broker.port('any')}`)
  const peer = await openSocket(broker.port('any'))
  peer.resume()
  peer.write(Buffer.from('1603010200', 'hex'))
  await once(peer, 'end')
  expect((await refusalIn(broker, /uses TLS/))['msg']).toMatch(
    /^the peer uses TLS, and listener any is not encrypted; connect without TLS, or enable listeners\.mqtts or listeners\.stomps or listeners\.amqps$/,
  )
})

test('a peer that says nothing is closed at the time limit, and the log says so', async () => {
  const broker = await start({ listeners: ['any'], settings: ['listeners.any.handshakeTimeoutMs=100'] })
  const peer = await openSocket(broker.port('any'))
  peer.resume()
  await once(peer, 'end')
  const line = await refusalIn(broker, /did not send the first bytes of a protocol within 100 ms/)
  expect(line).toMatchObject({ level: 'warn', listener: 'any', kind: 'refused' })
})

test('a stop does not wait for a peer that has said nothing', async () => {
  const broker = await start({ listeners: ['any'] })
  const peer = await openSocket(broker.port('any'))
  peer.resume()
  await client(`mqtt://127.0.0.1:${broker.port('any')}`) // the one before is accepted by now
  await broker.program.stop('SIGTERM')
  // By its own log: how long its process needs to end is a matter of the machine.
  const momentOf = (msg: string): number => {
    const line = broker.program.lines.find((each) => each.includes(`"${msg}"`)) ?? '{}'
    return Date.parse((JSON.parse(line) as { readonly time: string }).time)
  }
  expect(momentOf('stopped') - momentOf('SIGTERM: stopping')).toBeLessThan(4_000)
})

test('the port is checked with the others before anything is opened', async () => {
  const { code, stderr, stdout } = await ternmq([
    'config',
    'check',
    '--set',
    'listeners.any.enabled=true',
    '--set',
    'listeners.any.port=1883',
  ])
  expect(code).not.toBe(0)
  expect([...stdout, ...stderr].join('\n')).toContain('listeners.any and listeners.mqtt both listen on 127.0.0.1:1883')
})

test.each(['mqtt', 'stomp'] as const)(
  'whoever uses TLS at the plain port of %s is told the port for it',
  async (name) => {
    const broker = await start({ listeners: [name, `${name}s`] })
    const peer = await openSocket(broker.port(name))
    peer.resume()
    peer.write(Buffer.from('1603010200', 'hex'))
    await once(peer, 'end')
    const line = await refusalIn(broker, /uses TLS/)
    expect(line).toMatchObject({ level: 'warn', listener: name, kind: 'refused' })
    expect(line['msg']).toBe(
      `connection lost: the peer uses TLS, and listener ${name} is not encrypted; connect to port ${broker.port(`${name}s`)} (listeners.${name}s) instead, or without TLS`,
    )
  },
)
