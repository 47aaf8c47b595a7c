/** npm run -s crash -- --kills N: load, kill -9, restart, and whether the broker kept its promises. */
import { parseArgs } from 'node:util'

import { runCrashes } from './run.ts'

const HELP = `Usage: npm run -s crash -- --kills N [OPTION…]

Clients of MQTT 3.1.1 and 5 publish with QoS 1 and 2, clients of AMQP 1.0 durable messages, alone and in transactions, to queues and to a
topic with sessions and subscriptions that stay; consumers acknowledge, and move messages from queue to queue. The broker is killed with
SIGKILL at random moments and started again on the same data directory. Checked: nothing acknowledged is lost, nothing settled for good
comes back, QoS 2 comes once, a transaction counts as a whole or not at all, what is moved in one is moved once, the order of each producer
holds, bodies are what was sent.

  --kills N       default 20
  --seconds S     stop after so long, with the round that runs
  --seed S        of the moments; default: of the clock. Who is where when it strikes is never the same
  --foreign       mosquitto_pub, mosquitto_sub and paho for Python take part: apt-get install mosquitto-clients python3-paho-mqtt

Exit code 1 when a promise is broken: then the data directory stays, and it is said how to look at it.
`

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '20' },
    seconds: { type: 'string' },
    seed: { type: 'string' },
    foreign: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h' },
  },
})

if (values.help === true) {
  process.stdout.write(HELP)
} else {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : wholeNumber('--seed', values.seed)
  process.stdout.write(`seed ${seed}\n`)
  try {
    const { kills, deliveries, restartsMs } = await runCrashes({
      kills: wholeNumber('--kills', values.kills),
      secondsMax: values.seconds === undefined ? Infinity : wholeNumber('--seconds', values.seconds),
      seed,
      withForeign: values.foreign,
      signal: interrupted.signal,
      onRound: (text) => process.stdout.write(`${text}\n`),
    })
    const sorted = restartsMs.toSorted((first, second) => first - second)
    const middle = sorted[Math.floor(sorted.length / 2)] ?? 0
    process.stdout.write(
      `${kills} kills, ${deliveries} deliveries: every promise was kept. Restart: median ${middle.toFixed(0)} ms, longest ${(sorted.at(-1) ?? 0).toFixed(0)} ms\n`,
    )
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}

/** Throws for anything else, and for 0. */
function wholeNumber(option: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${option} ${text}: must be a whole number from 1`)
  return Number(text)
}
