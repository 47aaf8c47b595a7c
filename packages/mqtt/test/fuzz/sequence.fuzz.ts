/**
 * Several clients of all versions say and do what comes to their minds: nothing of it may make the broker fail, hang, grow,
 * misread, misdirect or reorder, and when all have gone nothing may be left.
 */
import { Dice, type Fuzzer, FuzzFailure, type FuzzTally } from '@ternmq/testkit/fuzzer'
import { type Action, fromText, toText } from './sequence-actions.ts'
import { Generator } from './sequence-generator.ts'
import { Run } from './sequence-run.ts'

const STEPS_MAX = 120
/** One broker for so many sequences, so that what each leaves behind adds up and shows. */
const SEQUENCES_PER_BROKER = 20

export const sequenceFuzzer: Fuzzer = {
  name: 'sequence',
  what: 'random sequences of sound and garbled packets from several clients leave a broker as it was',

  async run(seed: number, iterations: number): Promise<FuzzTally> {
    const dice = new Dice(seed)
    const tally = { sequences: 0, actions: 0, delivered: 0, expired: 0, dropped: 0, redelivered: 0 }
    let run: Run | undefined = undefined
    for (let step = 0; step < iterations; step++) {
      const hasLog = step % (2 * SEQUENCES_PER_BROKER) >= SEQUENCES_PER_BROKER
      if (run === undefined || step % SEQUENCES_PER_BROKER === 0) run = await Run.start(hasLog)
      const before = run.world.vhost.counters
      const actions: Action[] = []
      try {
        await playOne(run, dice, actions)
      } catch (cause) {
        throw new FuzzFailure(seed, step, toText({ hasLog, actions }), cause)
      }
      const { counters } = run.world.vhost
      tally.sequences++
      tally.actions += actions.length
      tally.delivered += counters.messagesOut - before.messagesOut
      tally.expired += counters.expired - before.expired
      tally.dropped += counters.droppedOverLimit - before.droppedOverLimit
      tally.redelivered += counters.redelivered - before.redelivered
    }
    return tally
  },

  async replay(text: string): Promise<void> {
    const { hasLog, actions } = fromText(text)
    const run = await Run.start(hasLog)
    for (const action of actions) await run.do(action)
    await run.finish()
  },
}

/** Notes in `actions` what is done before it is done. */
async function playOne(run: Run, dice: Dice, actions: Action[]): Promise<void> {
  const generator = new Generator(dice, run)
  for (let count = 10 + dice.below(STEPS_MAX - 10); count > 0; count--) {
    for (const action of generator.next()) {
      actions.push(action)
      await run.do(action)
    }
  }
  await run.finish()
}
