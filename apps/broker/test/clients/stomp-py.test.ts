/** stomp.py, from Debian's python3-stomp: another implementation of the protocol, in another language. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import { INSTALL_MS_MAX, needs, PYTHON } from './debian.ts'
import { Program } from './program.ts'
import { RunningBroker } from './running-broker.ts'

let broker: RunningBroker

beforeAll(async () => {
  broker = await RunningBroker.start('stomp.heartBeatMs=1000')
})

afterAll(() => broker.stop())

beforeEach((context) => needs(context, 'python3-stomp'), INSTALL_MS_MAX)

const MATRIX = (['stomp', 'stomps'] as const).flatMap((listener) =>
  (['1.0', '1.1', '1.2'] as const).map((version) => ({ listener, version })),
)

describe.each(MATRIX)('over $listener with version $version', ({ listener, version }) => {
  async function resultOf(script: string, destination: string): Promise<unknown> {
    const env = {
      STOMP_VERSION: version,
      STOMP_PORT: String(broker.port(listener)),
      STOMP_DESTINATION: destination,
      PYTHONDONTWRITEBYTECODE: '1',
      ...(listener === 'stomps' && { STOMP_CA: broker.caFile }),
    }
    return JSON.parse((await Program.run(PYTHON, [join(import.meta.dirname, 'stomp-py', script)], { env })).join('\n'))
  }

  test('texts and bytes arrive, with heart-beats both ways', async () => {
    const destination = `/topic/test.${randomUUID()}`
    expect(await resultOf('exchange.py', destination)).toEqual({
      version,
      text: 'grüße',
      headers: { destination, unit: '°C', path: version === '1.0' ? 'a' : 'a:b\\c' },
      bytesArrived: true,
    })
  })

  test('acknowledgements, NACK and transactions leave what they should', async () => {
    expect(await resultOf('work.py', `/queue/test.${randomUUID()}`)).toEqual({
      client: ['c'],
      ...(version !== '1.0' && { 'client-individual': ['a', 'c'], dead: ['poison'] }),
      results: ['commit one', 'commit two'],
    })
  })

  test('a durable subscription collects, and a mistake is told', async () => {
    expect(await resultOf('durable.py', `/topic/test.${randomUUID()}`)).toEqual({
      collected: ['one', 'two'],
      errors: [expect.stringMatching(/^COMMIT: .*no-such.*BEGIN/)],
    })
  })
})
