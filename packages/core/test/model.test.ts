/**
 * A whole virtual host against a naive model: whatever clients do in whatever order, nothing is lost, nothing comes twice, nothing
 * overtakes, no window is exceeded, nobody who could get something waits, and the counters add up. A failure names its seed and the
 * shortest schedule that shows it.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Outcome } from '../src/queue/delivery.ts'
import type { Assurance } from '../src/message/message.ts'
import { type Act, CLIENTS, type Content, MESSAGES_MAX, SideBySide, type Step, TOPICS } from './side-by-side.ts'

const FILTERS = ['a', 'a/+', '#', '+/b', 'b/#', '$a/#']

const assurance = fc.constantFrom<Assurance>(0, 1, 1, 2)
const content: fc.Arbitrary<Content> = fc.record({
  topic: fc.constantFrom(...TOPICS),
  assurance,
  retain: fc.nat(3).map((n) => n === 0),
  isEmpty: fc.nat(5).map((n) => n === 0),
  ttlMs: fc.constantFrom(0, 0, 0, 70),
  isRefused: fc.nat(12).map((n) => n === 0),
})
const who = fc.constantFrom(...CLIENTS)
const filter = fc.constantFrom(...FILTERS)
const share = fc.constantFrom(undefined, undefined, 'g', 'h')
const connect = fc.record({
  kind: fc.constant('connect' as const),
  who,
  cleanStart: fc.nat(3).map((n) => n === 0),
  expiryMs: fc.constantFrom(0, 100, 1_000, Infinity),
  creditMax: fc.integer({ min: 1, max: 4 }),
  will: fc.option(fc.record({ content, delayMs: fc.constantFrom(0, 50, 500) }), { nil: undefined, freq: 3 }),
})
const bind = fc.record({
  kind: fc.constant('bind' as const),
  who,
  filter,
  share,
  assuranceMax: assurance,
  noLocal: fc.boolean(),
  retained: fc.constantFrom('always' as const, 'if-new' as const, 'never' as const),
})
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constant('publish' as const), who: fc.constantFrom('', ...CLIENTS), content }),
  },
  { weight: 5, arbitrary: bind },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unbind' as const), who, filter, share }) },
  {
    weight: 9,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      who,
      which: fc.nat(3),
      outcome: fc.constantFrom<Outcome>('accepted', 'accepted', 'rejected', 'released', 'modified'),
    }),
  },
  { weight: 3, arbitrary: connect },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('disconnect' as const, 'goodbye' as const, 'delete' as const), who }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('pause' as const, 'resume' as const), who }) },
)

/** Mostly one act at a time, which shrinks to short schedules; sometimes a burst. */
const acts = fc.oneof(
  { weight: 4, arbitrary: act.map((one) => [one]) },
  { weight: 1, arbitrary: fc.array(act, { minLength: 2, maxLength: 8 }) },
)
const pass = fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 200 }) })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 15, arbitrary: acts.map((all) => ({ kind: 'turn' as const, acts: all })) },
  { weight: 1, arbitrary: pass },
)

/**
 * The same for a host with a log. Wills come at the commit, which is later than the model means: left out. So do publishes: in a
 * burst only those of one producer have an order, and it must be short enough for an empty queue.
 */
function forLog(one: Step, publishesMax: number): Step {
  if (one.kind === 'pass') return one
  const [first, ...rest] = one.acts.map((each) => (each.kind === 'connect' ? { ...each, will: undefined } : each))
  if (first === undefined) return one
  // The broker's own topics pass the log by.
  const isPublish = (each: Act): boolean => each.kind === 'publish' && !each.content.topic.startsWith('$')
  const more = isPublish(first) ? rest.filter(isPublish).slice(0, publishesMax - 1) : []
  return { kind: 'turn', acts: [first, ...more.map((each) => ({ ...each, who: first.who }))] }
}

function hasRefused(one: Step): boolean {
  return one.kind === 'turn' && one.acts.some((each) => each.kind === 'publish' && each.content.isRefused)
}

test('a virtual host does what the naive model allows, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 100, size: 'max' }), (steps) => {
      const both = new SideBySide()
      for (const one of steps) both.run(one)
      expect(both.finish()).toEqual([0, 0, 0, 0])
    }),
    { numRuns: 200 },
  )
})

test('the log holds what kept sessions and retained messages need and no more, and gives it back', async () => {
  const steps = fc.array(step, { minLength: 1, maxLength: 60, size: 'max' })
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const both = new SideBySide()
      await both.openLog()
      // What a group's members cannot take fills its line, and then it matters which of a turn's messages come late from the log.
      const publishesMax = all.some(hasRefused) ? 1 : MESSAGES_MAX
      for (const one of all) both.run(forLog(one, publishesMax))
      const logged = await both.logged()
      expect(logged.actual).toEqual(logged.expected)
      const { actual, expected } = await both.restart()
      expect(actual).toEqual(expected)
    }),
    { numRuns: 100 },
  )
})
