/**
 * eclipse/paho.mqtt.testing: which of its scripts are run, with which settings of the broker, and what is to be said of
 * tests that ask for what the specifications do not. Needs python3.
 */
import { BrokerProcess } from '@ternmq/lab'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

import type { Run, RunOptions, Suite } from './suite.ts'

/** This one test of each script needs a filter that may not be subscribed to. */
const REFUSAL_TEST = 'test_subscribe_failure'
const REFUSED_FILTER = {
  defaultAccess: 'allow',
  rules: [{ user: '*', topics: ['test/nosubscribe'], deny: ['read'] }],
}
const REFUSED_BECAUSE =
  `${REFUSAL_TEST} needs \`test/nosubscribe\` to be refused; it runs alone, because with such a rule this broker ` +
  'also refuses the filters that the other tests use and that would deliver it (`+/+`, `#`)'

/** Scripts are those under `interoperability/`. */
const RUNS: readonly Run[] = [
  { script: 'client_test.py', only: [], skip: [REFUSAL_TEST], config: {}, because: '' },
  {
    script: 'client_test.py',
    only: [REFUSAL_TEST],
    skip: [],
    config: { auth: REFUSED_FILTER },
    because: REFUSED_BECAUSE,
  },
  {
    script: 'client_test5.py',
    only: [],
    skip: [REFUSAL_TEST],
    config: { mqtt: { keepAliveMaxSeconds: 60 } },
    because: 'test_server_keep_alive asks for a server that allows at most 60 s',
  },
  {
    script: 'client_test5.py',
    only: [REFUSAL_TEST],
    skip: [],
    config: { auth: REFUSED_FILTER },
    because: REFUSED_BECAUSE,
  },
]

/** By 'script name': why a failure there is none of the broker's. */
const REMARKS: Readonly<Record<string, string>> = {
  'client_test5.py test_dollar_topics':
    'Publishing to a name that begins with `$` is refused with PUBACK 0x87 and a reason string, as MQTT 5 §4.7.2 asks for ' +
    "('should prevent clients from using such topic names') and §3.4.2.2.2 allows. The suite's reader takes no PUBACK of " +
    "more than four bytes, so it breaks off there. The test's own comment says to leave it out with such servers.",
  'client_test5.py test_subscribe_failure':
    'The filter is refused with 0x87, Not authorized, which MQTT 5 §3.9.3 has for exactly this. The test asks for 0x80, and ' +
    "the suite's reader takes no other code of that table [MQTT5-3.9.3-2].",
}

export const PAHO: Suite = {
  name: 'eclipse/paho.mqtt.testing',
  page: 'paho',
  runs: RUNS,
  remarks: REMARKS,
  isIn: (folder) => existsSync(join(folder, 'interoperability')),
  tools: () => ({
    Python: spawnSync('python3', ['--version'], { encoding: 'utf8' }).stdout.trim().replace('Python ', ''),
  }),
  run: runScript,
}

async function runScript(folder: string, run: Run, { only, skip, results, seconds, msMax }: RunOptions): Promise<void> {
  const script = join(folder, 'interoperability', run.script)
  if (!existsSync(script)) throw new Error(`${script} is not there: --suite must name a whole copy of ${PAHO.name}`)
  await using broker = await BrokerProcess.start({ config: run.config })
  const place = ['--hostname', '127.0.0.1', '--port', String(broker.port())]
  const options = { script, arguments: place, results, only, skip, seconds }
  const args = [join(import.meta.dirname, 'run-unittest.py'), JSON.stringify(options)]
  const child = spawn('python3', args, { stdio: ['ignore', 'ignore', 'inherit'], timeout: msMax })
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  if (code !== 0) throw new Error(`run-unittest.py ended with ${signal ?? `exit code ${code}`}`)
}
