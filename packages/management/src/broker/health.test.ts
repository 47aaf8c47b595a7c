import { getLive, getReady, getStore, type ListenerItem, type StoreInfo } from '@ternmq/api'
import { beforeEach, describe, expect, it } from 'vitest'
import { DefinitionWorld } from '../../test/definition-world.ts'

let world: DefinitionWorld

beforeEach(async () => {
  world = await DefinitionWorld.open()
})

const notOk = async (): Promise<string[]> => {
  const { status, checks } = await world.call(getReady)
  const failing = checks.filter(({ ok }) => !ok).map(({ name, text }) => `${name}: ${text}`)
  expect(status).toBe(failing.length === 0 ? 'ok' : 'failing')
  return failing
}

describe('health', () => {
  it('is live while the store holds', async () => {
    expect(await world.call(getLive)).toMatchObject({ status: 'ok' })
    world.vhost.log.onEnded(new Error('disk gone'))
    expect(await world.call(getLive)).toMatchObject({
      status: 'failing',
      checks: [{ ok: true }, { name: 'store', ok: false }],
    })
  })

  it('is ready with a listener and a store that takes messages', async () => {
    expect(await notOk()).toEqual(['listeners: no listener is open'])
    world.listeners.push({ name: 'mqtt' } as ListenerItem)
    expect(await notOk()).toEqual([])
    world.store = { ...world.store, problem: 'the disk is full' } satisfies StoreInfo
    expect(await notOk()).toEqual(['room: the disk is full'])
    expect(await world.call(getStore)).toBe(world.store)
  })

  it('is not ready when the broker stops', async () => {
    world.listeners.push({ name: 'mqtt' } as ListenerItem)
    world.vhost.beginStop()
    expect(await notOk()).toEqual(['listeners: the broker stops'])
  })
})
