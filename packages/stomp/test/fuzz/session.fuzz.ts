/**
 * Several clients of all versions say and do what comes to their minds: nothing of it may make the broker fail, hang or grow, nothing
 * that it sends may be malformed, and when all have gone nothing may be left.
 */
import { Dice, type Fuzzer, FuzzFailure, type FuzzTally } from '@ternmq/testkit/fuzzer'
import { type Action, fromText, toText } from './session-actions.ts'
import { Generator } from './session-generator.ts'
import { SessionRun } from './session-run.ts'

const STEPS_MAX = 150
/** One broker for so many runs, so that what each leaves behind adds up and shows. */
const RUNS_PER_BROKER = 20

export const sessionFuzzer: Fuzzer = {
  name: 'stomp-session',
  what: 'random frames, right and nearly right, from several STOMP clients leave a broker as it was',

  async run(seed: number, iterations: number): Promise<FuzzTally> {
    const dice = new Dice(seed)
    const tally = { runs: 0, actions: 0, received: 0, published: 0, refused: 0, redelivered: 0 }
    let run: SessionRun | undefined = undefined
    for (let step = 0; step < iterations; step++) {
      const hasLog = step % (2 * RUNS_PER_BROKER) >= RUNS_PER_BROKER
      if (run === undefined || step % RUNS_PER_BROKER === 0) run = await SessionRun.start(hasLog)
      const before = { ...run.world.vhost.counters, received: run.messageCount }
      const actions: Action[] = []
      try {
        await playOne(run, dice, actions)
      } catch (cause) {
        throw new FuzzFailure(seed, step, toText({ hasLog, actions }), cause)
      }
      const { counters } = run.world.vhost
      tally.runs++
      tally.actions += actions.length
      tally.received += run.messageCount - before.received
      tally.published += counters.messagesIn - before.messagesIn
      tally.redelivered += counters.redelivered - before.redelivered
      tally.refused += run.takeRefused()
    }
    return tally
  },

  async replay(text: string): Promise<void> {
    const { hasLog, actions } = fromText(text)
    const run = await SessionRun.start(hasLog)
    for (const action of actions) await run.do(action)
    await run.finish()
  },
}

/** Notes in `actions` what is done before it is done. */
async function playOne(run: SessionRun, dice: Dice, actions: Action[]): Promise<void> {
  const generator = new Generator(dice, run)
  for (let count = 10 + dice.below(STEPS_MAX - 10); count > 0; count--) {
    for (const action of generator.next()) {
      actions.push(action)
      await run.do(action)
    }
  }
  await run.finish()
}
