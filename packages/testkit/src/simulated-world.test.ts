import { expect, test } from 'vitest'

import { SimulatedWorld } from './simulated-world.ts'

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

test('an asynchronous function runs to its end, and virtual time has passed', async () => {
  const world = new SimulatedWorld({ seed: 3, durationMsMax: 5 })
  const { disk } = world
  const text = await world.run(
    (async () => {
      const file = await disk.open('a', 'create')
      for (let n = 0; n < 20; n++) await file.write(n, [bytes('x')])
      await file.syncData()
      await file.close()
      return 'end'
    })(),
  )
  expect(text).toBe('end')
  expect(world.clock.monoMs()).toBeGreaterThan(10)
  expect(disk.openFileCount).toBe(0)
})

test('timers, ends of turns and operations meet in an order that the seed alone decides', async () => {
  const tell = async (seed: number): Promise<string> => {
    const world = new SimulatedWorld({ seed, slowShare: 0.1, slowMs: 50 })
    const { clock, disk } = world.env
    let told = ''
    let left = 3
    for (const name of ['a', 'b', 'c'])
      void (async () => {
        const file = await disk.open(name, 'create')
        for (let n = 0; n < 10; n++) {
          await file.write(0, [bytes(name)])
          clock.endOfTurn(() => {
            told += name.toUpperCase()
          })
          told += name
          await new Promise<void>((resolve) => clock.after(n % 3, resolve))
        }
        left--
      })()
    await world.runUntil(() => left === 0)
    return `${told} ${clock.monoMs()} ${disk.fingerprint}`
  }
  const first = await tell(1)
  expect(await tell(1)).toBe(first)
  expect(await tell(2)).not.toBe(first)
})

test('what waits for nothing fails and names seed, time and the latest operations', async () => {
  const world = new SimulatedWorld({ seed: 42 })
  await world.run(world.disk.makeDirectory('d'))
  await expect(world.run(new Promise(() => {}), 'the answer')).rejects.toThrow(
    /world of seed 42, at \d ms after \d+ steps: nothing is left to do, and the answer .*1 makeDirectory d done/,
  )
})

test('what fails rejects as it does without a world', async () => {
  const world = new SimulatedWorld({ seed: 1 })
  await expect(world.run(world.disk.open('a', 'read'))).rejects.toMatchObject({ code: 'not-found' })
})

test('settle finishes what is under way and runs no timer of the code', async () => {
  const world = new SimulatedWorld({ seed: 1 })
  let rang = false
  world.clock.after(10_000, () => {
    rang = true
  })
  let isOpen = false
  void world.disk.open('a', 'create').then(() => {
    isOpen = true
  })
  await world.settle()
  expect([isOpen, rang]).toEqual([true, false])
  await world.advance(10_000)
  expect(rang).toBe(true)
})

test('after a crash time has gone on, timers of the old life do not ring, its disk rejects', async () => {
  const world = new SimulatedWorld({ seed: 1, downtimeMs: 5_000 })
  const { clock, disk } = world
  await world.advance(100)
  let rang = false
  clock.after(1, () => {
    rang = true
  })
  const underWay = disk.open('a', 'create').catch((error: unknown) => error)
  world.crash('kill')
  await world.advance(1_000)
  expect(rang).toBe(false)
  expect(await underWay).toMatchObject({ code: 'io' })
  expect(world.clock.wallMs() - clock.wallMs()).toBe(6_000)
  expect(world.disk).not.toBe(disk)
})

test('a pump steps behind a test that only awaits', async () => {
  const world = new SimulatedWorld({ seed: 1 })
  const stop = world.pump()
  const file = await world.disk.open('a', 'create')
  await file.write(0, [bytes('x')])
  await stop()
  expect(world.disk.peek('a')).toEqual(bytes('x'))
})

test('a mistake that a step finds is thrown to who stops the pump', async () => {
  const world = new SimulatedWorld({ seed: 1 })
  const stop = world.pump()
  const file = await world.disk.open('a', 'create')
  const part = bytes('x')
  void file.write(0, [part])
  part[0] = 0
  await new Promise((resolve) => setTimeout(resolve, 0))
  await new Promise((resolve) => setTimeout(resolve, 0))
  await expect(stop()).rejects.toThrow('changed before it had finished')
})
