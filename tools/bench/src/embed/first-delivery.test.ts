import { startBroker } from '@ternmq/broker'
import { expect, test } from 'vitest'

import { firstDelivery } from './first-delivery.ts'

test('a broker of one’s own delivers its first message, and stops', async () => {
  const { startMs, deliveryMs, stopMs } = await firstDelivery(startBroker)
  expect(startMs).toBeGreaterThan(0)
  expect(deliveryMs).toBeGreaterThan(startMs)
  expect(stopMs).toBeGreaterThan(0)
})
