/** What was defined is there again after the end of the process, on the journal, wherever a crash comes. */
import { applyDefinitions, type Definitions, exportDefinitions, putPermission, putPolicy } from '@ternmq/api'
import { openJournal } from '@ternmq/store/journal'
import { SimulatedWorld } from '@ternmq/testkit'
import { describe, expect, it } from 'vitest'
import { DefinitionWorld } from './definition-world.ts'

const CRASHES = 40

const DOCUMENT: Definitions = {
  version: 1,
  permissions: [{ id: 'p', user: 'ann', allow: ['read'], topics: ['a/#'] }],
  policies: [{ id: 'y', match: 'orders.>', settings: { messagesMax: 10, deadLetter: '' }, order: 3 }],
  queues: [{ name: 'orders.eu', settings: { ttlMs: 7, lastValueKey: '' }, paused: true }],
}

function openWorld(sim: SimulatedWorld): Promise<DefinitionWorld> {
  return DefinitionWorld.open({
    openEngine: async () => ({
      env: sim.env,
      engine: await openJournal(sim.env, { segmentBytes: 16_384, minFreeBytes: 8_192, reserveBytes: 8_192 }),
    }),
  })
}

describe('definitions on the journal', () => {
  it('are the same after a loss of power that comes when they were answered', async () => {
    const sim = new SimulatedWorld({ seed: 1 })
    const before = await sim.run(openWorld(sim))
    await sim.run(before.call(applyDefinitions, { body: { definitions: DOCUMENT, everybody: 'limited' } }))
    const exported = await before.call(exportDefinitions)
    sim.crash('power')
    const after = await sim.run(openWorld(sim))
    expect(await after.call(exportDefinitions)).toEqual(exported)
    expect(after.vhost.destinations.find('orders.eu')!.queue.settings).toMatchObject({
      messagesMax: 10,
      ttlMs: 7,
      deadLetter: undefined,
    })
    expect(after.reports).toEqual([])
  })

  it('are there in whole once they were answered, and in whole or not at all before, whenever power is lost', async () => {
    let answeredCount = 0
    for (let seed = 1; seed <= CRASHES; seed++) {
      const sim = new SimulatedWorld({ seed })
      const before = await sim.run(openWorld(sim))
      const answered: string[] = []
      const make = async (): Promise<void> => {
        for (let number = 0; number < 6; number++) {
          const id = `d${number}`
          await before.call(putPolicy, {
            params: { vhost: '/', id },
            body: { match: id, settings: { messagesMax: number + 1 } },
          })
          answered.push(`policy ${id}`)
          await before.call(putPermission, {
            params: { id },
            query: { everybody: 'limited' },
            body: { user: id, allow: ['read'], topics: [id] },
          })
          answered.push(`permission ${id}`)
        }
      }
      void make().catch(() => undefined) // the crash ends it
      for (let steps = sim.random.below(60); steps > 0; steps--) await sim.step()
      sim.crash('power')
      answeredCount += answered.length

      const after = await sim.run(openWorld(sim))
      const there = [
        ...[...after.definitions.policies.all.keys()].map((id) => `policy ${id}`),
        ...[...after.definitions.permissions.all.keys()].map((id) => `permission ${id}`),
      ]
      expect(there, `seed ${seed}`).toEqual(expect.arrayContaining(answered))
      expect(there.length, `seed ${seed}`).toBeLessThanOrEqual(answered.length + 1)
      expect(after.reports, `seed ${seed}`).toEqual([])
    }
    expect(answeredCount).toBeGreaterThan(CRASHES)
  })
})
