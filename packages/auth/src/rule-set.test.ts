/** Rules that come, change and go one by one, or all together in pieces, decide as those of an authorizer that was made with the last of them. */
import type { Action, Address, Decision, Pattern, Subject } from '@ternmq/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RuleAuthorizer } from './acl.ts'
import { PATTERNS_PER_PIECE } from './limits.ts'
import type { Permission } from './rules.ts'
import { parseTopicPattern } from './topic-pattern.ts'

const ann: Subject = { principal: { name: 'ann', anonymous: false }, clientId: 'd1' }
const nobody: Subject = { principal: { name: 'anonymous', anonymous: true }, clientId: '' }
const GROUPS: Readonly<Record<string, readonly string[]>> = { ann: ['ops', 'dev'] }
const CONFIG = { rules: [{ user: 'ann', allow: ['read'], topics: ['a/+'] }] } as const

const authorizer = (): RuleAuthorizer => new RuleAuthorizer(CONFIG, 'auth', (name) => GROUPS[name] ?? [])

function asking(text: string): Address | Pattern {
  const { kind, fixed } = parseTopicPattern(text)
  return { vhost: '/', kind, levels: fixed ?? [] }
}

const WANTED = ['a', 'a/b', 'a/#', '#', 'd1', '+/b', '$queue/q', '$queue/>'].map(asking)

function decisions(rules: RuleAuthorizer): Decision[] {
  return [ann, nobody].flatMap((subject) =>
    (['read', 'write', 'browse', 'create', 'admin'] as const).flatMap((action: Action) =>
      WANTED.map((wanted) => rules.mayMatch(subject, action, wanted)),
    ),
  )
}

const actions = fc.subarray(['read', 'write', 'browse', 'admin'] as const, { minLength: 1 })
const body = fc.record({
  who: fc.constantFrom('ann', 'anonymous', '*', 'ops', 'dev'),
  allow: actions,
  deny: fc.oneof(fc.constant([]), actions),
  topics: fc.array(fc.constantFrom('a', 'a/b', '+/b', 'a/#', '#', '%c', '$queue/q', '$queue/>'), {
    minLength: 1,
    maxLength: 3,
  }),
})
const step = fc.tuple(fc.constantFrom('p1', 'p2', 'p3', 'p4'), fc.option(body, { nil: undefined }))

function permissionOf(id: string, { who, ...rest }: typeof body extends fc.Arbitrary<infer T> ? T : never): Permission {
  return GROUPS['ann']!.includes(who) ? { id, group: who, ...rest } : { id, user: who, ...rest }
}

test('after any changes decisions and their words are those of rules that were read anew', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { maxLength: 3 }), { maxLength: 6 }), async (changes) => {
      const changed = authorizer()
      const wanted = new Map<string, Permission>()
      for (const steps of changes) {
        const change = new Map<string, Permission | undefined>()
        for (const [id, given] of steps) {
          const permission = given === undefined ? undefined : permissionOf(id, given)
          change.delete(id)
          change.set(id, permission)
        }
        for (const [id, permission] of change) {
          if (permission === undefined) wanted.delete(id)
          else wanted.set(id, permission)
        }
        await changed.changePermissions(change, () => Promise.reject(new Error('so few need no pause')))
      }
      const fresh = authorizer()
      fresh.replacePermissions([...wanted.values()])
      expect(decisions(changed)).toEqual(decisions(fresh))
    }),
    { numRuns: 500 },
  )
})

const many = (count: number, from = 0): Permission[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `m${from + index}`,
    user: 'ann',
    allow: ['write'],
    topics: [`x/${from + index}`],
  }))

test('very many come in pieces, and count all at once at the end', async () => {
  const rules = authorizer()
  const before = [{ id: 'first', user: 'ann', allow: ['write'], topics: ['a'] }, ...many(10)] as const
  rules.replacePermissions(before)
  const { generation } = rules
  const wanted = many(3_000, 5)
  const changes = new Map<string, Permission | undefined>(wanted.map((each) => [each.id, each]))
  changes.set('m0', undefined).set('first', { id: 'first', user: 'ann', deny: ['write'], topics: ['a'] })
  const seen: unknown[] = []
  await rules.changePermissions(changes, async () => {
    const { allowed } = rules.mayUse(ann, 'write', asking('a') as Address)
    seen.push([allowed, rules.mayUse(ann, 'write', asking('x/100') as Address).allowed, rules.generation])
  })
  // Read first, then put beside those that stay.
  const pauses = Math.floor(3_001 / PATTERNS_PER_PIECE) + Math.floor(3_005 / PATTERNS_PER_PIECE)
  expect(seen).toEqual(Array.from({ length: pauses }, () => [true, false, generation]))
  expect(rules.generation).toBe(generation + 1)
  const may = (text: string): boolean => rules.mayUse(ann, 'write', asking(text) as Address).allowed
  expect(['a', 'x/0', 'x/1', 'x/5', 'x/3004', 'x/3005'].map(may)).toEqual([false, false, true, true, true, false])
})

test('a change of which one cannot be changes nothing, nor does one too many', async () => {
  const rules = authorizer()
  rules.replacePermissions(many(9_999))
  const { generation } = rules
  const pause = (): Promise<void> => Promise.resolve()
  const bad = { id: 'bad', user: 'ann', allow: ['write'], topics: ['a/#/b'] } as const
  const changes = (...permissions: readonly Permission[]): Map<string, Permission> =>
    new Map(permissions.map((each) => [each.id, each]))
  await expect(rules.changePermissions(changes(...many(1, 20_000), bad), pause)).rejects.toThrow(
    "permission 'bad'.topics[0]",
  )
  await expect(rules.changePermissions(changes(...many(2, 20_000)), pause)).rejects.toThrow(
    'there are 10001 permissions',
  )
  expect([rules.generation, rules.mayUse(ann, 'write', asking('x/20000') as Address).allowed]).toEqual([
    generation,
    false,
  ])
  await rules.changePermissions(new Map([['m1', undefined], ...changes(...many(2, 20_000))]), pause)
  expect(rules.mayUse(ann, 'write', asking('x/20001') as Address).allowed).toBe(true)
})
