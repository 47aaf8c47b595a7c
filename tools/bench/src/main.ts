/** npm run -s bench -- COMMAND: the benchmarks, from single functions to brokers beside each other. */
import { backlog } from './backlog/command.ts'
import { churn } from './churn/command.ts'
import { consoleBench } from './console/command.ts'
import { embed } from './embed/command.ts'
import { inProcess } from './in-process/command.ts'
import { loadgen } from './loadgen/command.ts'
import { micro } from './micro/command.ts'
import { queues } from './queues/command.ts'
import { restart } from './restart/command.ts'
import { subscriptions } from './subscriptions/command.ts'
import { tracingBench } from './tracing/command.ts'

const HELP = `Usage: npm run -s bench -- COMMAND [OPTION…]

  loadgen         our broker beside others, by a load generator you name
  in-process      a whole broker without a kernel: decode, route, encode
  embed           from startBroker() to the first delivery, modules loaded and not
  subscriptions   whether a publish costs more with 100,000 subscriptions than with 100
  backlog         five million messages that wait, and are drained: rates and memory
  restart         how long a broker with a million messages takes to come back; purging them
  queues          what ten thousand queues cost
  churn           disk use in ten minutes of messages that come and go
  console         lists with ten thousand of everything; what messages cost while somebody watches
  tracing         what messages cost more while some of them are traced
  micro           single functions: every *.bench.ts of the packages

'bench COMMAND --help' tells more. Results go to docs/benchmarks. Compare only numbers of one machine and one run.
`

type Command = (args: readonly string[], signal: AbortSignal) => Promise<number>

const COMMANDS: Readonly<Record<string, Command>> = {
  loadgen,
  'in-process': inProcess,
  embed,
  subscriptions,
  backlog,
  restart,
  queues,
  churn,
  console: consoleBench,
  tracing: tracingBench,
  micro,
}

const [name, ...args] = process.argv.slice(2)
const command = name === undefined ? undefined : COMMANDS[name]
if (command === undefined) {
  process.stdout.write(HELP)
  process.exitCode = name === '--help' || name === '-h' ? 0 : 2
} else {
  // What was started is stopped before we end.
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort(new Error(signal)))
  try {
    process.exitCode = await command(args, interrupted.signal)
  } catch (error) {
    process.stderr.write(`bench ${name}: ${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}
