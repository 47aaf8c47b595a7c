import type { ListQuery } from '@ternmq/api'
import { describe, expect, test } from 'vitest'
import { ApiError } from './errors.ts'
import { cursorAt, type Listing, mapPage, pageOf, placeAt } from './paging.ts'

interface Thing {
  readonly name: string
  readonly size: number
}

const listing: Listing<Thing> = {
  key: ({ name }) => name,
  sorts: { name: ({ name }) => name, size: ({ size }) => size },
  sortDefault: 'name',
  texts: ({ name }) => [name],
}

const thing = (name: string, size: number): Thing => ({ name, size })
const names = (page: { readonly items: readonly Thing[] }): string => page.items.map(({ name }) => name).join('')

/** All pages, one after the other. */
function walk(things: readonly Thing[], query: ListQuery): string[] {
  const pages: string[] = []
  let cursor: string | undefined
  do {
    const page = pageOf(things, { ...query, cursor }, listing)
    pages.push(names(page))
    cursor = page.next
  } while (cursor !== undefined)
  return pages
}

const five = [thing('d', 1), thing('b', 2), thing('e', 2), thing('a', 3), thing('c', 1)]

describe('a list', () => {
  test('comes in pages in the order that it has when none is asked for', () => {
    expect(walk(five, { limit: 2 })).toEqual(['ab', 'cd', 'e'])
  })

  test('that ends with a full page has no page after it', () => {
    expect(pageOf(five, { limit: 5 }, listing)).toEqual({
      items: ['a', 'b', 'c', 'd', 'e'].map((name) => five.find((each) => each.name === name)),
      total: 5,
    })
  })

  test.each([
    ['size', ['cd', 'be', 'a']],
    ['-size', ['ab', 'ec', 'd']],
    ['-name', ['ed', 'cb', 'a']],
  ])('sorted by %s has what is equal in the order of its keys, and nothing twice', (sort, pages) => {
    expect(walk(five, { sort, limit: 2 })).toEqual(pages)
  })

  test('is filtered by text whatever the case, and says how many there are on all pages', () => {
    const things = [thing('Orders', 1), thing('bills', 2), thing('orders.eu', 3)]
    expect(pageOf(things, { q: 'ORD', limit: 1 }, listing)).toMatchObject({ items: [things[0]], total: 2 })
    expect(pageOf(things, {}, listing, ({ size }) => size > 1)).toMatchObject({ total: 2 })
  })

  test('is empty without items', () => {
    expect(pageOf([], {}, listing)).toEqual({ items: [], total: 0 })
  })

  test('goes on behind what its last page ended with, though that is gone and others have come', () => {
    const { next } = pageOf(five, { limit: 2 }, listing)
    const after = [thing('a', 3), thing('aa', 1), thing('bb', 1), thing('e', 2)]
    expect(names(pageOf(after, { cursor: next }, listing))).toBe('bbe')
  })

  test('shows something else for each item of a page only', () => {
    let made = 0
    const page = mapPage(pageOf(five, { limit: 2 }, listing), ({ size }) => (made++, size))
    expect([page.items, page.total, made]).toEqual([[3, 2], 5, 2])
  })

  test('of the same things as sorting all of them gives is found with a heap', () => {
    const many = Array.from({ length: 1_000 }, (_, index) => thing(`n${(index * 7_919) % 1_000}`, (index * 31) % 17))
    const sorted = many.toSorted((one, other) => other.size - one.size || (one.name < other.name ? -1 : 1))
    expect(walk(many, { sort: '-size', limit: 37 }).join('')).toBe(names({ items: sorted }))
  })
})

describe('refused by name is', () => {
  const refusal = (query: ListQuery): ApiError => {
    try {
      pageOf(five, query, listing)
    } catch (error) {
      return error as ApiError
    }
    throw new Error('it was not refused')
  }

  test('a sorting that the list does not have', () => {
    for (const sort of ['colour', 'constructor', '-', '']) {
      expect(refusal({ sort }).toProblem()).toMatchObject({
        code: 'INVALID',
        field: 'sort',
        value: sort,
        rule: 'name, size',
      })
    }
  })

  test.each([
    ['no text of ours', 'x'],
    ['JSON of something else', Buffer.from('{"a":1}').toString('base64url')],
    ['one of another sorting', pageOf(five, { sort: 'size', limit: 1 }, listing).next],
    ['one with a value that nothing is sorted by', Buffer.from('["name",null,"a"]').toString('base64url')],
    ['one of a list with an order of its own', cursorAt('retained', 'a')],
    ['nothing', ''],
  ])('a cursor that is %s', (_, cursor) => {
    expect(refusal({ cursor }).toProblem()).toMatchObject({ code: 'INVALID', field: 'cursor', value: cursor })
  })
})

test('the cursor of a list with an order of its own gives back its place, and is of that list only', () => {
  expect(placeAt('retained', undefined)).toBeUndefined()
  expect(placeAt('retained', cursorAt('retained', 'a/b'))).toBe('a/b')
  expect(placeAt('history', cursorAt('history', 17))).toBe(17)
  expect(() => placeAt('retained', cursorAt('history', 17))).toThrow(ApiError)
})
