/** The way to a load generator and back, with one that measures nothing. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { LoadGenerator } from '../src/loadgen/generator.ts'
import { RestartableBroker } from '../src/loadgen/restartable-broker.ts'

const FAKE = join(import.meta.dirname, 'fake-loadgen')
const { signal } = new AbortController()
const hasTools = ['make', 'python3'].every((tool) => spawnSync(tool, ['--version']).status === 0)

test('a broker that is restarted by command has another process and the same port', async () => {
  await using broker = await RestartableBroker.start('mqtt')
  const { pid, port } = broker
  const said = await run(broker.restartCommand)
  expect(JSON.parse(said)).toEqual({ pid: broker.pid })
  expect(broker.pid).not.toBe(pid)
  expect(broker.port).toBe(port)
})

describe.skipIf(!hasTools)('a load generator', () => {
  test('is copied, built, asked case by case, and its peers are stopped', async () => {
    const pids: number[] = []
    {
      using generator = new LoadGenerator(FAKE)
      expect(generator.fingerprint).toMatch(/^sha256 [0-9a-f]{12}$/)
      const peers = await generator.startPeers(['first', 'second'])
      expect(peers).toEqual([
        { name: 'first', version: '1.2.3' },
        { name: 'second', version: '1.2.3' },
      ])
      const lines = await generator.compare('a1w', 2, peers, 'ternmq=127.0.0.1:1:mqtt;pid=7;restart=false', signal)
      expect(lines.map(({ target, round }) => `${target} ${round}`)).toEqual([
        'ternmq 0',
        'first 0',
        'second 0',
        'ternmq 1',
        'first 1',
        'second 1',
      ])
      pids.push(...lines.map(({ result }) => result.receive_rate!))
    }
    expect(pids).toEqual([7, 7, 7, 7, 7, 7])
  })

  test('gets a fresh broker for every round of case k', async () => {
    using generator = new LoadGenerator(FAKE)
    await using broker = await RestartableBroker.start('mqtt')
    const target = `ternmq=127.0.0.1:${broker.port}:mqtt;pid=${broker.pid};restart=${broker.restartCommand}`
    const pids = [
      broker.pid,
      ...(await generator.compare('k', 2, [], target, signal)).map(({ result }) => result.receive_rate),
    ]
    expect(new Set(pids).size).toBe(3)
    expect(pids.at(-1)).toBe(broker.pid)
  })

  test('whose peer ends at once is refused: somebody else would be measured in its place', async () => {
    using generator = new LoadGenerator(FAKE)
    await expect(generator.startPeers(['short-lived'])).rejects.toThrow('short-lived')
  })

  test('that is none is refused', () => {
    expect(() => new LoadGenerator(import.meta.dirname)).toThrow('--loadgen must name a load generator')
  })
})

/** Not spawnSync: the answer comes from this process. */
async function run(command: string): Promise<string> {
  const { exec } = await import('node:child_process')
  return new Promise((resolve, reject) => {
    exec(command, (error, stdout) => (error === null ? resolve(stdout) : reject(error)))
  })
}
