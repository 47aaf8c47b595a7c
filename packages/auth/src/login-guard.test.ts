import { describe, expect, it } from 'vitest'
import { LoginGuard, PACE_MS } from './login-guard.ts'
import type { LockOut, LockOutSettings } from './login-guard.ts'

const SETTINGS: LockOutSettings = { attempts: 3, windowMs: 60_000, waitMs: 10_000, waitMaxMs: 35_000 }

function setUp(settings: LockOutSettings = SETTINGS) {
  const time = { nowMs: 0 }
  const lockOuts: LockOut[] = []
  const guard = new LoginGuard({
    clock: { monoMs: () => time.nowMs },
    settings,
    onLockOut: (lockOut) => lockOuts.push(lockOut),
  })
  const fail = (user: string | undefined, address: string, count: number): void => {
    for (let index = 0; index < count; index++) guard.onFailed(user, address)
  }
  return { guard, time, lockOuts, fail }
}

describe('a pair of user and address', () => {
  it('waits after as many failures as there are attempts, and tells so once', () => {
    const { guard, fail, lockOuts } = setUp()
    fail('ann', '10.0.0.1', 2)
    expect(guard.holds('ann', '10.0.0.1')).toBeUndefined()
    fail('ann', '10.0.0.1', 1)
    expect(guard.holds('ann', '10.0.0.1')).toEqual({ kind: 'locked', waitMs: 10_000 })
    expect(lockOuts).toEqual([{ user: 'ann', address: '10.0.0.1', failedCount: 3, waitMs: 10_000, isPaced: false }])
    expect(guard.lockOutCount).toBe(1)
  })

  it('leaves the user alone at other addresses, and others at that address', () => {
    const { guard, fail } = setUp()
    fail('ann', '10.0.0.1', 3)
    expect(guard.holds('ann', '10.0.0.2')).toBeUndefined()
    expect(guard.holds('bob', '10.0.0.1')).toBeUndefined()
  })

  it('may try once when the wait is over, and waits twice as long after each further failure, up to the longest wait', () => {
    const { guard, fail, time } = setUp()
    fail('ann', '10.0.0.1', 3)
    const waits: unknown[] = []
    for (const waitMs of [10_000, 20_000, 35_000, 35_000]) {
      waits.push(guard.holds('ann', '10.0.0.1'))
      time.nowMs += waitMs
      expect(guard.holds('ann', '10.0.0.1')).toBeUndefined()
      fail('ann', '10.0.0.1', 1)
    }
    expect(waits).toEqual([10_000, 20_000, 35_000, 35_000].map((waitMs) => ({ kind: 'locked', waitMs })))
  })

  it('begins anew with a right password, and a window after the last wait', () => {
    const { guard, fail, time } = setUp()
    fail('ann', '10.0.0.1', 2)
    guard.onRight('ann', '10.0.0.1')
    fail('ann', '10.0.0.1', 2)
    expect(guard.holds('ann', '10.0.0.1')).toBeUndefined()
    fail('ann', '10.0.0.1', 1)
    time.nowMs += 10_000 + 60_000
    fail('ann', '10.0.0.1', 2)
    expect(guard.holds('ann', '10.0.0.1')).toBeUndefined()
    fail('ann', '10.0.0.1', 1)
    expect(guard.holds('ann', '10.0.0.1')).toEqual({ kind: 'locked', waitMs: 10_000 })
  })

  it('is not counted beyond the window', () => {
    const { guard, fail, time } = setUp()
    fail('ann', '10.0.0.1', 2)
    time.nowMs += 60_000
    fail('ann', '10.0.0.1', 2)
    expect(guard.holds('ann', '10.0.0.1')).toBeUndefined()
  })

  it('takes no more logins at a time than may fail', () => {
    const { guard, fail } = setUp()
    fail('ann', '10.0.0.1', 1)
    guard.onTried('ann', '10.0.0.1')
    expect(guard.holds('ann', '10.0.0.1')).toBeUndefined()
    guard.onTried('ann', '10.0.0.1')
    expect(guard.holds('ann', '10.0.0.1')).toEqual({ kind: 'crowded' })
    guard.onGivenUp('ann', '10.0.0.1')
    expect(guard.holds('ann', '10.0.0.1')).toBeUndefined()
    guard.onFailed('ann', '10.0.0.1')
    expect(guard.holds('ann', '10.0.0.1')).toBeUndefined()
    guard.onTried('ann', '10.0.0.1')
    expect(guard.holds('ann', '10.0.0.1')).toEqual({ kind: 'crowded' })
    guard.onFailed('ann', '10.0.0.1')
    expect(guard.holds('ann', '10.0.0.1')).toMatchObject({ kind: 'locked' })
  })

  it('waits no more once the user has another password, or is gone', () => {
    const { guard, fail } = setUp()
    fail('ann', '10.0.0.1', 3)
    fail('anna', '10.0.0.1', 3)
    guard.forgetUser('ann')
    expect(guard.holds('ann', '10.0.0.1')).toBeUndefined()
    expect(guard.holds('anna', '10.0.0.1')).toMatchObject({ kind: 'locked' })
  })

  it('is one for all addresses of an IPv6 network', () => {
    const { guard, fail } = setUp()
    fail('ann', '2001:db8:0:1::1', 1)
    fail('ann', '2001:db8:0:1::2', 1)
    fail('ann', '2001:db8:0:1:ffff::2', 1)
    expect(guard.holds('ann', '2001:db8:0:1:a:b:c:d')).toMatchObject({ kind: 'locked' })
    expect(guard.holds('ann', '2001:db8:0:2::1')).toBeUndefined()
  })
})

describe('an address', () => {
  it('waits after ten times as many failures, whatever the names, also those that nobody can have', () => {
    const { guard, fail, lockOuts } = setUp()
    for (let index = 0; index < 20; index++) fail(`u${index}`, '10.0.0.1', 1)
    fail(undefined, '10.0.0.1', 9)
    expect(guard.holds('bob', '10.0.0.1')).toBeUndefined()
    fail(undefined, '10.0.0.1', 1)
    expect(guard.holds('bob', '10.0.0.1')).toEqual({ kind: 'locked', waitMs: 10_000 })
    expect(guard.holds(undefined, '10.0.0.1')).toEqual({ kind: 'locked', waitMs: 10_000 })
    expect(guard.holds('bob', '10.0.0.2')).toBeUndefined()
    expect(lockOuts).toEqual([
      { user: undefined, address: '10.0.0.1', failedCount: 30, waitMs: 10_000, isPaced: false },
    ])
  })

  it('does not make those wait who have logged in from it before', () => {
    const { guard, fail } = setUp()
    guard.onRight('ann', '10.0.0.1')
    fail(undefined, '10.0.0.1', 30)
    expect(guard.holds('bob', '10.0.0.1')).toMatchObject({ kind: 'locked' })
    expect(guard.holds('ann', '10.0.0.1')).toBeUndefined()
    fail('ann', '10.0.0.1', 3)
    expect(guard.holds('ann', '10.0.0.1')).toMatchObject({ kind: 'locked' })
  })

  it('keeps its count when one there logs in', () => {
    const { guard, fail } = setUp()
    fail(undefined, '10.0.0.1', 29)
    guard.onRight('ann', '10.0.0.1')
    fail(undefined, '10.0.0.1', 1)
    expect(guard.holds('bob', '10.0.0.1')).toMatchObject({ kind: 'locked' })
  })

  it('has all its attempts again after a wait, and then waits twice as long', () => {
    const { guard, fail, time } = setUp()
    fail(undefined, '10.0.0.1', 30)
    time.nowMs += 10_000
    fail(undefined, '10.0.0.1', 29)
    expect(guard.holds('bob', '10.0.0.1')).toBeUndefined()
    fail(undefined, '10.0.0.1', 1)
    expect(guard.holds('bob', '10.0.0.1')).toEqual({ kind: 'locked', waitMs: 20_000 })
  })
})

describe.each(['127.0.0.1', '127.8.8.8', '::ffff:127.0.0.1', '::1'])("the broker's own machine, at %s,", (address) => {
  it('keeps nobody out because others there guess: one login a second is tried, right ones too', () => {
    const { guard, fail, time, lockOuts } = setUp()
    for (let index = 0; index < 30; index++) fail(`u${index}`, address, 1)
    expect(lockOuts).toEqual([{ user: undefined, address, failedCount: 30, waitMs: 10_000, isPaced: true }])
    expect(guard.holds('admin', address)).toEqual({ kind: 'locked', waitMs: PACE_MS })
    time.nowMs += PACE_MS
    expect(guard.holds('admin', address)).toBeUndefined()
    guard.onTried('admin', address)
    expect(guard.holds('bob', address)).toEqual({ kind: 'locked', waitMs: PACE_MS })
    guard.onRight('admin', address)
    expect(guard.holds('admin', address)).toBeUndefined()
    time.nowMs += PACE_MS
    expect(guard.holds('bob', address)).toBeUndefined()
  })

  it('does not count the tries of one name for nothing: that pair waits as it does elsewhere, and the others are tried', () => {
    const { guard, fail, time } = setUp()
    fail(undefined, address, 30)
    fail('ann', address, 3)
    time.nowMs += PACE_MS
    expect(guard.holds('ann', address)).toEqual({ kind: 'locked', waitMs: 10_000 - PACE_MS })
    expect(guard.holds('bob', address)).toBeUndefined()
  })
})

describe('the guard', () => {
  it('does nothing with 0 attempts, and ends all waits when it is switched off', () => {
    const { guard, fail } = setUp()
    fail('ann', '10.0.0.1', 3)
    guard.use({ ...SETTINGS, attempts: 0 })
    expect(guard.holds('ann', '10.0.0.1')).toBeUndefined()
    fail('ann', '10.0.0.1', 100)
    guard.use(SETTINGS)
    expect(guard.holds('ann', '10.0.0.1')).toBeUndefined()
  })

  it('lets the pair begin anew that was tried longest ago, beyond 20,000', () => {
    const { guard, fail } = setUp()
    fail('first', '10.0.0.1', 3)
    fail('second', '10.0.0.2', 3)
    for (let index = 0; index < 19_998; index++) guard.onFailed('ann', `host-${index}`)
    expect(guard.holds('first', '10.0.0.1')).toMatchObject({ kind: 'locked' })
    guard.onFailed('ann', 'one more')
    expect(guard.holds('first', '10.0.0.1')).toBeUndefined()
    expect(guard.holds('second', '10.0.0.2')).toMatchObject({ kind: 'locked' })
  })
})
