import { expect, test } from 'vitest'

import { runScenario } from './run.ts'
import { SCENARIOS } from './scenarios.ts'

test.each(SCENARIOS.map((scenario) => [scenario.name, scenario] as const))(
  '%s: everything that is sent arrives',
  (_, scenario) => {
    const [round, ...others] = runScenario(scenario, 1, 5)
    expect(others).toEqual([])
    expect(round?.messagesPerSecond).toBeGreaterThan(0)
    expect(round?.bytesPerSecond).toBeGreaterThan(round!.messagesPerSecond * scenario.publish.payloadBytes)
  },
)
