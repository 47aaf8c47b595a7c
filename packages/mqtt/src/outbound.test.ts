import { Delivery } from '@ternmq/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isHeld, isReleased, markHeld, markReleased, Outbound, packetIdOf } from './outbound.ts'

/** A delivery as the log gives it back. */
function restored(id: number, tag: number): Delivery {
  const delivery = new Delivery(undefined as never, undefined as never, 2, false)
  delivery.protocolState = id
  delivery.tag = tag
  return delivery
}

describe('deliveries that come back after a restart', () => {
  it('are found by the identifiers they had, and new ones get others', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), { maxLength: 200 }), fc.nat(300), (ids, newCount) => {
        const outbound = new Outbound()
        const deliveries = ids.map(restored)
        for (const delivery of deliveries) expect(outbound.restore(delivery)).toBe(true)
        const added = Array.from({ length: newCount }, (_, index) => outbound.add(restored(0, ids.length + index)))
        expect(new Set([...ids, ...added]).size).toBe(ids.length + newCount)
        ids.forEach((id, index) => expect(outbound.find(id)).toBe(deliveries[index]))
        expect(outbound.count).toBe(ids.length + newCount)
        expect(outbound.inOrder().map(({ tag }) => tag)).toEqual(Array.from({ length: outbound.count }, (_, tag) => tag))
        for (const delivery of outbound.inOrder()) outbound.remove(delivery)
        expect(outbound.count).toBe(0)
      }),
    )
  })

  it('are refused under an identifier that another one has', () => {
    const outbound = new Outbound()
    const first = restored(5, 1)
    expect([outbound.restore(first), outbound.restore(restored(5, 2))]).toEqual([true, false])
    expect([outbound.find(5), outbound.count]).toEqual([first, 1])
  })

  it('wait for nothing any more: what they waited for was this process', () => {
    const delivery = restored(5, 1)
    markReleased(delivery)
    markHeld(delivery)
    new Outbound().restore(delivery)
    expect([packetIdOf(delivery), isReleased(delivery), isHeld(delivery)]).toEqual([5, true, false])
  })
})
