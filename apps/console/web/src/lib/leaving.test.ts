import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { expect, test } from 'vitest'

import { forgetWhenLeft, isLeaving, markLeaving, unmarkLeaving } from './leaving.ts'

const ORDERS = { queue: 'orders' }
const KEY = ['queues.get', { params: ORDERS }]

test('what is taken away, and what is in it, is leaving until it turns out that it stays', () => {
  markLeaving([ORDERS])
  expect([ORDERS, { queue: 'orders', id: '7' }, { queue: 'emails' }, undefined].map(isLeaving)).toEqual([
    true,
    true,
    false,
    false,
  ])
  unmarkLeaving([ORDERS])
  expect(isLeaving(ORDERS)).toBe(false)
})

test('what has gone is forgotten as soon as nobody shows it', () => {
  const client = new QueryClient()
  client.setQueryData(KEY, 'as it was')
  const leave = new QueryObserver(client, {
    queryKey: KEY,
    queryFn: () => 'anew',
    staleTime: Infinity,
  }).subscribe(() => {})
  markLeaving([ORDERS])
  forgetWhenLeft(client, [ORDERS])
  expect([isLeaving(ORDERS), client.getQueryData(KEY)]).toEqual([true, 'as it was'])
  leave()
  expect([isLeaving(ORDERS), client.getQueryData(KEY)]).toEqual([false, undefined])
})

test('what nobody shows is forgotten at once', () => {
  const client = new QueryClient()
  client.setQueryData(KEY, 'as it was')
  markLeaving([ORDERS])
  forgetWhenLeft(client, [ORDERS])
  expect([isLeaving(ORDERS), client.getQueryData(KEY)]).toEqual([false, undefined])
})
