/** Qpid Proton's Python client, from Debian's python3-qpid-proton: another implementation of the protocol, in C below. */
import { developmentCertificates } from '@ternmq/transport'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { clientCertificate } from '../client-certificate.ts'
import { newFolder } from '../support.ts'
import { INSTALL_MS_MAX, needs, PYTHON } from './debian.ts'
import { Program } from './program.ts'
import { RunningBroker } from './running-broker.ts'

let broker: RunningBroker

beforeAll(async () => {
  broker = await RunningBroker.start()
})

afterAll(() => broker.stop())

beforeEach((context) => needs(context, 'python3-qpid-proton'), INSTALL_MS_MAX)

async function resultOf(script: string, env: Readonly<Record<string, string>>): Promise<unknown> {
  const options = { env: { PYTHONDONTWRITEBYTECODE: '1', ...env } }
  const lines = await Program.run(PYTHON, [join(import.meta.dirname, 'proton', script)], options)
  return JSON.parse(lines.join('\n')) as unknown
}

function address(kind: 'queue' | 'topic' = 'queue'): string {
  return `${kind}://test.${randomUUID()}`
}

describe.each(['amqp', 'amqps'] as const)('over %s', (listener) => {
  function run(script: string, at = address()): Promise<unknown> {
    const env = { AMQP_PORT: String(broker.port(listener)), AMQP_ADDRESS: at }
    return resultOf(script, listener === 'amqps' ? { ...env, AMQP_CA: broker.caFile } : env)
  }

  test('values of every type come back as they were, with all that is said of them', async () => {
    expect(await run('exchange.py')).toEqual({})
  })

  test('outcomes, browsing, selectors, drain and requests do what they should', async () => {
    expect(await run('work.py')).toEqual({
      counts: [
        [0, true],
        [0, false],
        [1, false],
      ],
      dead: 'job',
      browsed: [0, 1, 2, 3, 4, 5],
      selected: [3, 5],
      drained: [[0, 1], [2, 4], []],
      reply: ['SLITHY', '1'],
      refused: expect.stringContaining("the selector 'number =' is wrong at character 9") as unknown,
    })
  })

  test('a transaction moves messages when it commits, and nothing when it aborts', async () => {
    expect(await run('transactions.py')).toEqual({
      // Proton releases what an aborted transaction held.
      seen: [['a', 0], ['b', 0], ['c', 0], 'aborted', ['a', 0], ['b', 0], ['c', 0], 'committed'],
      in: [],
      out: ['a', 'b', 'c'],
    })
  })

  test('subscriptions collect while their client is away, and share', async () => {
    expect(await run('subscriptions.py', address('topic'))).toEqual({
      live: 'one',
      collected: 'two',
      shared: [0, 1, 2, 3],
    })
  })
})

describe('a login', () => {
  // Debian builds Proton without Cyrus SASL: PLAIN, ANONYMOUS and EXTERNAL are what it has.
  test('by PLAIN takes the right password and no other', async () => {
    await broker.addUser('ada', 'correct horse')
    const user = { AMQP_MECHANISM: 'PLAIN', AMQP_USER: 'ada' }
    const env = { AMQP_PORT: String(broker.port('amqps')), AMQP_CA: broker.caFile, AMQP_ADDRESS: address(), ...user }
    const right = { ...env, AMQP_PASSWORD: 'correct horse', AMQP_EXPECTED: user.AMQP_USER }
    expect(await resultOf('login.py', right)).toEqual({ received: 'in' })
    expect(await resultOf('login.py', { ...env, AMQP_PASSWORD: 'wrong' })).toEqual({
      refused: expect.stringContaining('amqp:unauthorized-access') as unknown,
    })
  })

  test('as nobody is let in where nobody may come in', async () => {
    const env = { AMQP_PORT: String(broker.port('amqp')), AMQP_ADDRESS: address(), AMQP_MECHANISM: 'ANONYMOUS' }
    expect(await resultOf('login.py', env)).toEqual({ received: 'in' })
  })

  test('by EXTERNAL takes the name from the certificate', async () => {
    const ca = await developmentCertificates({ folder: newFolder(), names: [], nowMs: Date.now() })
    const tls = [`ca=${ca.caFile}`, 'clientCertificate=require', 'identity=cn', 'identityMustBeUser=false']
    await using own = await RunningBroker.start(...tls.map((setting) => `listeners.amqps.tls.${setting}`))
    const { cert, key } = clientCertificate(ca, 'press-7')
    const folder = newFolder()
    const files = { AMQP_CERT: join(folder, 'cert.pem'), AMQP_KEY: join(folder, 'key.pem') }
    writeFileSync(files.AMQP_CERT, cert)
    writeFileSync(files.AMQP_KEY, key)
    const place = { AMQP_PORT: String(own.port('amqps')), AMQP_CA: own.caFile, AMQP_ADDRESS: address() }
    const env = { ...place, ...files, AMQP_MECHANISM: 'EXTERNAL', AMQP_EXPECTED: 'press-7' }
    expect(await resultOf('login.py', env)).toEqual({ received: 'in' })
  })
})
