/**
 * amqp/rhea: the examples of the AMQP 1.0 client for Node, against the broker, by its authors' own tests of them and some more. The npm
 * package has no examples; a clone has them beside the library that they were written for, and nothing of it needs to be built.
 */
import { BrokerProcess, ROOT } from '@ternmq/lab'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

import type { Run, RunOptions, Suite } from './suite.ts'

const require = createRequire(import.meta.url)

const USER = 'guest'
const PASSWORD = 'guest'

export const RHEA: Suite = {
  name: 'amqp/rhea',
  page: 'rhea',
  runs: [
    { script: 'examples/test_examples.js', only: [], skip: [], config: {}, because: '' },
    { script: 'examples', only: [], skip: [], config: {}, because: '' },
  ],
  remarks: {},
  isIn: (folder) => existsSync(join(folder, 'examples', 'test_examples.js')),
  tools: () => ({
    debug: versionIn(require('debug/package.json')),
    minimist: versionIn(require('minimist/package.json')),
    ws: versionIn(require('ws/package.json')),
  }),
  run: runExamples,
}

async function runExamples(
  folder: string,
  { script, config }: Run,
  { only, skip, results, seconds, msMax }: RunOptions,
): Promise<void> {
  await using broker = await BrokerProcess.start({ listeners: { amqp: 0, ws: 0 }, config })
  addUser(broker.dataDir)
  const ports = { amqp: broker.port('amqp'), ws: broker.port('ws') }
  const options = { folder, part: script, ports, user: [USER, PASSWORD], results, only, skip, seconds }
  const args = [join(import.meta.dirname, 'run-rhea.mjs'), JSON.stringify(options)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'], timeout: msMax })
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  if (code !== 0) throw new Error(`run-rhea.mjs ended with ${signal ?? `exit code ${code}`}`)
}

function addUser(dataDir: string): void {
  const cli = join(ROOT, 'apps', 'broker', 'src', 'cli.ts')
  const args = [cli, 'users', 'add', USER, '--password-stdin', '--data-dir', dataDir]
  const { status, stderr } = spawnSync(process.execPath, args, { input: PASSWORD, encoding: 'utf8' })
  if (status !== 0) throw new Error(`ternmq users add ended with ${status}: ${stderr}`)
}

function versionIn(file: unknown): string {
  return (file as { readonly version: string }).version
}
