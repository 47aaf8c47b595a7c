import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { VerifiedCache } from './verified-cache.ts'

const clock = { nowMs: 0, monoMs: (): number => clock.nowMs }
const bytes = (text: string): Buffer => Buffer.from(text)

describe('VerifiedCache', () => {
  it('finds only the same name, verifier and password', () => {
    const cache = new VerifiedCache({ clock })
    cache.add(cache.tagOf('ann', 'v1', bytes('pw')))
    expect(cache.has(cache.tagOf('ann', 'v1', bytes('pw')))).toBe(true)
    expect(cache.has(cache.tagOf('ann', 'v2', bytes('pw')))).toBe(false)
    expect(cache.has(cache.tagOf('bob', 'v1', bytes('pw')))).toBe(false)
    expect(cache.has(cache.tagOf('ann', 'v1', bytes('pW')))).toBe(false)
  })

  it('does not let parts run together', () => {
    const cache = new VerifiedCache({ clock })
    const tags = [
      cache.tagOf('ab', 'c', bytes('d')),
      cache.tagOf('a', 'bc', bytes('d')),
      cache.tagOf('a', 'b', bytes('cd')),
      cache.tagOf('abc', '', bytes('d')),
    ]
    expect(new Set(tags).size).toBe(4)
  })

  it('names combinations by an HMAC', () => {
    const key = Buffer.alloc(64, 7)
    const expected = createHmac('sha256', key).update('3:2:annv1pw').digest('base64')
    expect(new VerifiedCache({ clock }, key).tagOf('ann', 'v1', bytes('pw'))).toBe(expected)
  })

  it('names the same combination differently in every process', () => {
    const tag = new VerifiedCache({ clock }).tagOf('ann', 'v1', bytes('pw'))
    expect(new VerifiedCache({ clock }).tagOf('ann', 'v1', bytes('pw'))).not.toBe(tag)
  })

  it('forgets an entry when its lifetime is over, however often it was found', () => {
    clock.nowMs = 0
    const cache = new VerifiedCache({ clock, lifetimeMs: 1_000 })
    cache.add('tag')
    clock.nowMs = 999
    expect(cache.has('tag')).toBe(true)
    clock.nowMs = 1_000
    expect(cache.has('tag')).toBe(false)
    cache.add('other')
    expect(cache.size).toBe(1)
  })

  it('forgets the oldest beyond its size', () => {
    clock.nowMs = 0
    const cache = new VerifiedCache({ clock, entriesMax: 2 })
    cache.add('one')
    cache.add('two')
    cache.add('one')
    cache.add('three')
    expect([cache.has('one'), cache.has('two'), cache.has('three')]).toEqual([true, false, true])
    expect(cache.size).toBe(2)
  })

  it('keeps nothing when its size is 0', () => {
    const cache = new VerifiedCache({ clock, entriesMax: 0 })
    cache.add('one')
    expect(cache.has('one')).toBe(false)
    expect(cache.size).toBe(0)
  })
})
