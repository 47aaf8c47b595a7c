/** Ten thousand of everything, for those who measure what lists cost. */
import { type ConnectionFacts, ONE_LEVEL, type PatternLevel } from '@ternmq/core'
import { FakeConnection } from './fake-connection.ts'
import { ManagedWorld } from './managed-world.ts'

export const MANY = 10_000

/** Each tenth queue and session has something that waits; each session has a subscription and a connection. */
export async function manyOfEverything(): Promise<ManagedWorld> {
  const world = await ManagedWorld.open()
  const facts: Partial<ConnectionFacts> = { protocolText: 'MQTT 5' }
  for (let index = 0; index < MANY; index++) {
    world.define(`orders.${index % 100}.q${index}`)
    const session = world.open(`device-${index}`, { user: `user-${index % 10}`, expiryMs: 60_000 })
    const levels: readonly PatternLevel[] = ['devices', String(index), ONE_LEVEL]
    session.bind({
      pattern: { vhost: '/', kind: 'topic', levels },
      shareName: undefined,
      assuranceMax: 1,
      noLocal: false,
      retained: 'never',
      data: {},
    })
    FakeConnection.open(world, { clientId: session.clientId, userName: session.principal.name, session, facts })
    if (index % 10 > 0) continue
    world.send(`$queue/orders.${index % 100}.q${index}`, 'x')
    world.send(`devices/${index}/state`, 'x', { retain: true })
  }
  await world.settle()
  return world
}
