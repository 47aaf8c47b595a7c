import { expect, test } from 'vitest'
import * as api from '../index.ts'
import type { AnyRoute } from '../route.ts'
import { routes, schemasOf } from './index.ts'

const exported: AnyRoute[] = Object.values(api).flatMap((value) =>
  typeof value === 'object' && 'path' in value ? [value] : [],
)

test('every call that is exported has schemas', () => {
  expect(exported.length).toBeGreaterThan(60)
  expect(new Set(routes)).toEqual(new Set(exported))
})

test('no two calls have the same id, and none the same method and path', () => {
  expect(new Set(routes.map(({ id }) => id)).size).toBe(routes.length)
  expect(new Set(routes.map(({ method, path }) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`)).size).toBe(
    routes.length,
  )
})

test('the parameters of a path are those of its schema', () => {
  for (const route of routes) {
    const named = [...route.path.matchAll(/\{(\w+)\}/g)].map((match) => [match[1]!, 'x'])
    expect(schemasOf(route).params.safeParse(Object.fromEntries(named)).success, route.id).toBe(true)
    expect(schemasOf(route).params.safeParse({ ...Object.fromEntries(named), more: 'x' }).success, route.id).toBe(false)
  }
})

test('a call without schemas is named', () => {
  expect(() => schemasOf({ id: 'queues.fly' })).toThrow("route 'queues.fly' has no schemas")
})

test('a page is as long as the limit allows and no longer', () => {
  const { query } = schemasOf(api.listQueues)
  expect(query.safeParse({ limit: api.PAGE_LIMIT_MAX }).success).toBe(true)
  expect(query.safeParse({ limit: api.PAGE_LIMIT_MAX + 1 }).success).toBe(false)
})
