/** Who has which group, before and beyond the limit: above all, that a group never has two owners. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { GROUP_BYTES, GroupTable, SHARED_PLACES } from './group-table.ts'

interface Consumer {
  readonly name: string
}

const [ada, bob, cem] = ['ada', 'bob', 'cem'].map((name) => ({ name })) as [Consumer, Consumer, Consumer]

test('a group is its first owner’s until that one leaves', () => {
  const table = new GroupTable<Consumer>()
  expect(table.ownerOf('g')).toBeUndefined()
  expect([table.assign('g', ada), table.assign('g', bob), table.ownerOf('g')]).toEqual([true, false, ada])
  expect([table.release(ada), table.ownerOf('g'), table.groupCount, table.groupBytes]).toEqual([1, undefined, 0, 0])
  expect([table.assign('g', bob), table.ownerOf('g')]).toEqual([true, bob])
})

test('a leaving consumer frees its own groups only', () => {
  const table = new GroupTable<Consumer>()
  for (const [id, consumer] of [
    ['a', ada],
    ['b', bob],
    ['c', ada],
  ] as const)
    table.assign(id, consumer)
  expect(table.release(ada)).toBe(2)
  expect(['a', 'b', 'c'].map((id) => table.ownerOf(id))).toEqual([undefined, bob, undefined])
  expect([table.release(ada), table.release(cem)]).toEqual([0, 0])
})

test('a closed group may go to anybody, and the others stay', () => {
  const table = new GroupTable<Consumer>()
  table.assign('a', ada)
  table.assign('b', ada)
  expect([table.close('a'), table.close('a'), table.close('never seen')]).toEqual([true, false, false])
  expect([table.ownerOf('a'), table.ownerOf('b'), table.countOf(ada), table.groupBytes]).toEqual([
    undefined,
    ada,
    1,
    GROUP_BYTES + 2,
  ])
  table.assign('a', bob)
  expect([table.ownerOf('a'), table.countOf(bob)]).toEqual([bob, 1])
})

test('a consumer whose last group is closed or released is not kept alive', () => {
  const table = new GroupTable<Consumer>()
  table.assign('a', ada)
  table.assign('b', ada)
  table.assign('c', bob)
  table.close('a')
  expect(table.consumerCount).toBe(2)
  table.close('b')
  expect(table.consumerCount).toBe(1)
  table.release(bob)
  expect(table.consumerCount).toBe(0)
})

test('the least loaded of the candidates is the one with the fewest groups, the first of several', () => {
  const table = new GroupTable<Consumer>()
  expect(table.leastLoaded([])).toBeUndefined()
  expect(table.leastLoaded([ada, bob])).toBe(ada)
  table.assign('a', ada)
  table.assign('b', ada)
  table.assign('c', bob)
  expect([table.leastLoaded([ada, bob]), table.leastLoaded([ada, bob, cem]), table.leastLoaded([ada])]).toEqual([
    bob,
    cem,
    ada,
  ])
  table.close('a')
  expect(table.leastLoaded([ada, bob])).toBe(ada)
})

test('groups that are given to the least loaded are spread evenly', () => {
  const table = new GroupTable<Consumer>()
  for (let index = 0; index < 300; index++) table.assign(`group ${index}`, table.leastLoaded([ada, bob, cem])!)
  expect([ada, bob, cem].map((consumer) => table.countOf(consumer))).toEqual([100, 100, 100])
})

test('beyond the limit groups share places, spread over consumers, and each keeps its owner', () => {
  const table = new GroupTable<Consumer>(10)
  const owners = new Map<string, Consumer>()
  for (let index = 0; index < 20_000; index++) {
    const id = `order-${index}`
    table.assign(id, table.leastLoaded([ada, bob, cem])!)
    owners.set(id, table.ownerOf(id)!)
  }
  expect([table.groupCount, table.sharedCount]).toEqual([10, SHARED_PLACES])
  for (const [id, owner] of owners) expect(table.ownerOf(id)).toBe(owner)
  const counts = [ada, bob, cem].map((consumer) => [...owners.values()].filter((owner) => owner === consumer).length)
  for (const count of counts) expect(count).toBeGreaterThan(6_000)
})

test('long ids use up the room as many ids do', () => {
  const table = new GroupTable<Consumer>(1_000, 3 * (GROUP_BYTES + 200))
  for (let index = 0; index < 10; index++) table.assign(`${index}`.padEnd(100, 'x'), ada)
  expect([table.groupCount, table.groupBytes]).toEqual([3, 3 * (GROUP_BYTES + 200)])
  expect(table.sharedCount).toBeGreaterThan(0)
})

test('a group that shares its place does not end alone, also when there is room again', () => {
  const table = new GroupTable<Consumer>(1)
  table.assign('own', ada)
  table.assign('shared', bob)
  expect([table.close('shared'), table.ownerOf('shared')]).toEqual([false, bob])
  table.close('own')
  expect([table.assign('shared', ada), table.ownerOf('shared'), table.groupCount]).toEqual([false, bob, 0])
  expect([table.release(bob), table.ownerOf('shared'), table.sharedCount]).toEqual([1, undefined, 0])
  expect([table.assign('shared', ada), table.groupCount]).toEqual([true, 1])
})

test('a lower limit leaves the groups there are and a higher one gives room again', () => {
  const table = new GroupTable<Consumer>(2)
  table.assign('a', ada)
  table.assign('b', bob)
  table.use(1)
  table.assign('c', cem)
  expect([table.groupCount, table.sharedCount, table.ownerOf('a'), table.ownerOf('b'), table.ownerOf('c')]).toEqual([
    2,
    1,
    ada,
    bob,
    cem,
  ])
  table.use(3)
  table.assign('d', ada)
  expect(table.groupCount).toBe(3)
})

test('hostile names are groups like others', () => {
  const table = new GroupTable<Consumer>()
  for (const id of ['__proto__', 'constructor', '']) {
    expect(table.ownerOf(id)).toBeUndefined()
    table.assign(id, ada)
    expect(table.ownerOf(id)).toBe(ada)
  }
})

test('whatever comes, no group changes its owner unless it is closed or its owner leaves, and the counts add up', () => {
  const operation = fc.record({
    kind: fc.constantFrom('assign', 'assign', 'assign', 'assign', 'close', 'release'),
    id: fc.nat(40).map((number) => `g${number}`),
    consumer: fc.constantFrom(ada, bob, cem),
    groupsMax: fc.nat(12),
  })
  fc.assert(
    fc.property(fc.nat(12), fc.array(operation, { maxLength: 150 }), (groupsMax, operations) => {
      const table = new GroupTable<Consumer>(groupsMax)
      const model = new Map<string, Consumer>()
      for (const { kind, id, consumer, groupsMax: another } of operations) {
        if (kind === 'assign') {
          table.assign(id, consumer)
          const owner = table.ownerOf(id)
          expect(owner).toBeDefined()
          if (model.has(id)) expect(owner).toBe(model.get(id))
          model.set(id, owner!)
        } else if (kind === 'close') {
          const isShared = model.has(id) && !table.close(id)
          if (!isShared) model.delete(id)
          if (isShared) expect(table.ownerOf(id)).toBe(model.get(id))
        } else {
          table.release(consumer)
          for (const [known, owner] of model) if (owner === consumer) model.delete(known)
          expect(table.countOf(consumer)).toBe(0)
          table.use(another)
        }
        for (const [known, owner] of model) expect(table.ownerOf(known), known).toBe(owner)
        const counts = [ada, bob, cem].map((each) => table.countOf(each))
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(table.groupCount + table.sharedCount)
      }
    }),
    { numRuns: 500 },
  )
})
