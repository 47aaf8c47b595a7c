import { expect, test } from 'vitest'
import { needsOf, PLACES, placesFor } from './navigation.ts'
import { PAGES } from './pages.ts'

test('no two pages have the same letter', () => {
  const letters = PLACES.flatMap(({ places }) => places.flatMap(({ letter }) => letter ?? []))
  expect(new Set(letters).size).toBe(letters.length)
})

test('who may only look does not see the pages of administrators', () => {
  const seen = placesFor(['read']).flatMap(({ places }) => places.map(({ to }) => to))
  expect(seen).toContain('/queues')
  expect(seen).toContain('/tokens')
  expect(seen).not.toContain('/users')
  expect(seen).not.toContain('/audit')
})

test('who may only send and receive sees no empty group', () => {
  expect(placesFor(['messages']).map(({ label }) => label)).toEqual(['Access', 'Tools'])
})

test('each place of the navigation is a page', () => {
  const places = PLACES.flatMap((group) => group.places.map(({ to }) => to))
  expect(places.filter((to) => !(to in PAGES))).toEqual([])
})

test('a page below another one needs what that needs', () => {
  expect([needsOf('/'), needsOf('/queues/$queue'), needsOf('/users'), needsOf('/try'), needsOf('/nowhere')]).toEqual([
    'read',
    'read',
    'admin',
    'user',
    'user',
  ])
})
