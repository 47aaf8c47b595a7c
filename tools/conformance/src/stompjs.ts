/**
 * stomp-js/stompjs: the specs of @stomp/stompjs, as its authors run them in Node: with Jasmine, over WebSocket. The npm package has no
 * specs; a clone has them beside the bundle that they were written for, and nothing of it needs to be installed or built.
 */
import { BrokerProcess, ROOT } from '@ternmq/lab'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

import type { Run, RunOptions, Suite } from './suite.ts'

const ALL = 'spec/unit'
const NACK_SPEC =
  'Stomp Acknowledgement (RabbitMQ specific queue destination) Should deliver to other client if nacked from one'
/** The specs of lost heart-beats wait for 5 s at most. */
const HEART_BEAT = { heartBeatMs: 1_000 }

export const STOMPJS: Suite = {
  name: 'stomp-js/stompjs',
  page: 'stompjs',
  runs: [
    {
      script: ALL,
      only: [],
      skip: [NACK_SPEC],
      config: { stomp: HEART_BEAT },
      because: 'the specs of lost heart-beats ask for one a second, and the slower side decides',
    },
    {
      script: ALL,
      only: [NACK_SPEC],
      skip: [],
      config: { stomp: HEART_BEAT, listeners: { ws: { profile: 'rabbitmq' } } },
      because:
        "it asks for RabbitMQ's NACK, which returns a message to its queue; ActiveMQ's, the default, makes a dead letter",
    },
  ],
  remarks: {},
  isIn: (folder) => existsSync(join(folder, 'spec', 'unit', 'heart-beat.spec.js')),
  tools: () => ({ Jasmine: versionOfJasmine() }),
  run: runSpecs,
}

/** As spec/config/node-config.js has it. */
const USER = 'guest'
const TEST = {
  destination: '/topic/chat.general',
  login: USER,
  password: USER,
  timeout: 2_000,
  largeMessageSize: 1_023,
  testHeartBeatUsingWebWorkers: false,
}

async function runSpecs(
  folder: string,
  { config }: Run,
  { only, skip, results, seconds, msMax }: RunOptions,
): Promise<void> {
  await using broker = await BrokerProcess.start({ listeners: { ws: 0 }, config })
  addUser(broker.dataDir)
  const url = `ws://127.0.0.1:${broker.port('ws')}`
  const options = {
    folder: join(folder, 'spec'),
    library: join(folder, 'bundles', 'stomp.umd.js'),
    globals: { TEST: { ...TEST, url, badUrl: `ws://127.0.0.1:${await closedPort()}` } },
    results,
    only,
    skip,
    seconds,
  }
  const args = [join(import.meta.dirname, 'run-jasmine.mjs'), JSON.stringify(options)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'], timeout: msMax })
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  if (code !== 0) throw new Error(`run-jasmine.mjs ended with ${signal ?? `exit code ${code}`}`)
}

function addUser(dataDir: string): void {
  const cli = join(ROOT, 'apps', 'broker', 'src', 'cli.ts')
  const args = [cli, 'users', 'add', USER, '--password-stdin', '--data-dir', dataDir]
  const { status, stderr } = spawnSync(process.execPath, args, { input: TEST.password, encoding: 'utf8' })
  if (status !== 0) throw new Error(`ternmq users add ended with ${status}: ${stderr}`)
}

/** Nobody listens there. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function versionOfJasmine(): string {
  const main = createRequire(import.meta.url).resolve('jasmine-core')
  return (JSON.parse(readFileSync(join(main, '..', '..', 'package.json'), 'utf8')) as { version: string }).version
}
