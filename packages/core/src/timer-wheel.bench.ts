/** node timer-wheel.bench.ts: moving a deadline among 100,000, and a tick that finds nobody due. */
import { VirtualClock } from '@ternmq/testkit'
import { bench, run } from 'mitata'
import { TimerWheel, type WheelEntry } from './timer-wheel.ts'

const ENTRIES = 100_000
const TICK_MS = 1_000

class Entry implements WheelEntry {
  wheelPrevious: WheelEntry | undefined = undefined
  wheelNext: WheelEntry | undefined = undefined
  wheelTick = -1

  onDue(): void {}
}

const clock = new VirtualClock()
const wheel = new TimerWheel(clock, TICK_MS)
const entries = Array.from({ length: ENTRIES }, () => new Entry())
for (const [index, entry] of entries.entries()) wheel.add(entry, 1_000_000_000 + index * 10)

let next = 0
bench('move one of 100,000 deadlines', () => {
  const index = next++ % ENTRIES
  wheel.add(entries[index]!, 1_000_000_000 + index * 10)
})
bench('one tick with 100,000 waiting', () => clock.advance(TICK_MS))

await run()
