/**
 * kill -9 again and again under load, with real clients: nothing that was acknowledged is lost, nothing that was settled for good comes
 * back, QoS 2 comes once, a transaction counts as a whole or not at all, the order of each producer holds. `npm run -s crash` does as many
 * kills as one likes.
 */
import { runCrashes } from '@ternmq/crash'
import { describe, expect, test } from 'vitest'

import { INSTALL_MS_MAX, needs } from '../clients/debian.ts'

const KILLS = 20
const FOREIGN_KILLS = 3
const RUN_MS_MAX = 600_000

test(
  `a broker that is killed ${KILLS} times keeps what it promised to MQTT.js and rhea`,
  { timeout: RUN_MS_MAX },
  async () => {
    const report = await runCrashes({ kills: KILLS, seed: 1 })
    expect(report.kills).toBe(KILLS)
    expect(report.deliveries).toBeGreaterThan(KILLS) // how many is a matter of the machine
  },
)

describe('with mosquitto and paho', () => {
  test(
    `a broker that is killed ${FOREIGN_KILLS} times keeps what it promised to programs of others`,
    { timeout: RUN_MS_MAX + 2 * INSTALL_MS_MAX },
    async (context) => {
      await needs(context, 'mosquitto-clients')
      await needs(context, 'python3-paho-mqtt')
      const report = await runCrashes({ kills: FOREIGN_KILLS, seed: 2, withForeign: true })
      expect(report.kills).toBe(FOREIGN_KILLS)
    },
  )
})
