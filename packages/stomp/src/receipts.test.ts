import fc from 'fast-check'
import { expect, test } from 'vitest'

import { FrameHeaders } from './codec/headers.ts'
import { receiptOf, WaitingReceipts } from './receipts.ts'

const limits = { maxHeaders: 10, maxHeaderLineBytes: 10_000, maxHeaderBytes: 20_000, maxBodyBytes: 100 }

function headersWith(receipt: string | undefined): FrameHeaders {
  const head = Buffer.from(`SEND\ndestination:/queue/a\n${receipt === undefined ? '' : `receipt:${receipt}\n`}\n`)
  const headers = new FrameHeaders()
  headers.parse(head, 0, head.length, 12, limits)
  return headers
}

const text = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString()

/** Plain, escaped, with a colon that has to be escaped, empty, long. */
const arbitraryReceipt = fc.oneof(
  fc.constantFrom(undefined, '', '1', 'message-12345', 'a\\cb', 'a:b', 'é'.repeat(40)),
  fc.integer({ min: 1, max: 3_000 }).map((size) => 'r'.repeat(size)),
)

test('each publish gets its own receipt back, whatever waits before and behind it', () => {
  const arbitrarySteps = fc.array(fc.tuple(arbitraryReceipt, fc.nat(3)), { maxLength: 60 })
  fc.assert(
    fc.property(arbitrarySteps, fc.constantFrom(0, 2 ** 32 - 5), (steps, first) => {
      const receipts = new WaitingReceipts()
      const waiting: { readonly tag: number; readonly value: string | undefined }[] = []
      let tag = first
      const takeOldest = (): void => {
        const oldest = waiting.shift()
        if (oldest === undefined) return
        const found = receipts.take(oldest.tag) ? receipts.bytes.slice(receipts.start, receipts.end) : undefined
        expect(text(found)).toBe(oldest.value)
      }
      for (const [receipt, taken] of steps) {
        const headers = headersWith(receipt)
        receipts.add(++tag, headers)
        waiting.push({ tag, value: text(receiptOf(headers)) })
        for (let count = 0; count < taken; count++) takeOldest()
      }
      while (waiting.length > 0) takeOldest()
    }),
  )
})

test('memory follows what waits, not what has passed', () => {
  const receipts = new WaitingReceipts()
  for (let tag = 1; tag <= 10_000; tag++) {
    receipts.add(tag, headersWith(`message-${tag}`))
    if (tag > 100) expect(receipts.take(tag - 100)).toBe(true)
  }
  expect(receipts.bytes.length).toBeLessThan(16 * 1024)
})

test('the memory of a burst goes when it is over', () => {
  const receipts = new WaitingReceipts()
  for (let tag = 1; tag <= 5_000; tag++) receipts.add(tag, headersWith(`message-${tag}`))
  expect(receipts.bytes.length).toBeGreaterThan(100_000)
  for (let tag = 1; tag <= 5_000; tag++) receipts.take(tag)
  receipts.add(5_001, headersWith('next'))
  expect(receipts.bytes.length).toBeLessThan(1_024)
})
