/** node retained.bench.ts: keeping and finding among 100,000 retained messages. */
import { bench, do_not_optimize, run } from 'mitata'
import { messageOf, patternOf, retainedWith } from '../../test/support.ts'

const TOPICS = 100_000

const retained = retainedWith({})
for (let index = 0; index < TOPICS; index++) {
  retained.set(['fleet', `device${index}`, 'state'], messageOf(`fleet/device${index}/state`, 'x'.repeat(100)))
}
const levels = ['fleet', 'device42', 'state']
const message = messageOf('fleet/device42/state', 'y'.repeat(100))
message.detach()

bench('replace one', () => retained.set(levels, message))
bench('find one by its name', () => do_not_optimize(retained.matching(levels, 0)))
bench('find one by a wildcard below it', () => do_not_optimize(retained.matching(patternOf('fleet/device42/#'), 0)))
bench('find all 100,000', () => do_not_optimize(retained.matching(patternOf('#'), 0)))

await run()
