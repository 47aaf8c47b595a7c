import { expect, test } from 'vitest'
import { parseSearch, stringifySearch } from './url-state.ts'

test('an address is written so that it can be read', () => {
  expect(stringifySearch({ q: 'a b', topic: 'site/1', sort: '-readyCount', unhealthy: true, cursor: '' })).toBe(
    '?q=a+b&topic=site/1&sort=-readyCount&unhealthy=true',
  )
})

test('nothing is written as nothing', () => {
  expect(stringifySearch({ q: '', cursor: undefined })).toBe('')
})

test('any text comes back as it was', () => {
  for (const text of ['1', 'true', '"', 'a&b=c', '%2F', 'ä€😀', '{"a":1}', ' ', '#>*+']) {
    expect(parseSearch(stringifySearch({ q: text }))).toEqual({ q: text })
  }
})

test('the first of several with one name counts', () => {
  expect(parseSearch('?a=1&a=2')).toEqual({ a: '1' })
})
