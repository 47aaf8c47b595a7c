import { DEFAULT_VHOST } from '@ternmq/core'
import type { Action, Address, Pattern, Subject } from '@ternmq/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RuleAuthorizer } from './acl.ts'
import type { LookedAt } from './explain.ts'
import type { AccessRule } from './rules.ts'
import { parseTopicPattern } from './topic-pattern.ts'

const ann: Subject = { principal: { name: 'ann', anonymous: false }, clientId: '' }
const nobody: Subject = { principal: { name: 'anonymous', anonymous: true }, clientId: 'd3' }

const topic = (name: string): Address => ({ vhost: DEFAULT_VHOST, kind: 'topic', levels: name.split('/') })
const queue = (name: string): Address => ({ vhost: DEFAULT_VHOST, kind: 'queue', levels: name.split('.') })
function filter(text: string): Pattern {
  const { kind, fixed } = parseTopicPattern(text)
  return { vhost: DEFAULT_VHOST, kind, levels: fixed ?? [] }
}

function asked(
  rules: readonly AccessRule[],
  wanted: Address | Pattern,
  action: Action = 'read',
  subject = ann,
): Promise<readonly LookedAt[]> {
  const groups = new Map([['ann', ['ops']]])
  const authorizer = new RuleAuthorizer({ rules }, 'auth', (name) => groups.get(name) ?? [])
  return authorizer.explain(subject, action, wanted, noPause).then((explained) => explained.rules)
}

const noPause = (): Promise<void> => Promise.resolve()

describe('an explanation', () => {
  it('names the rule that decided first, then what applies, then the others with why they do not', async () => {
    const rules: readonly AccessRule[] = [
      { user: 'bob', allow: ['read'], topics: ['#'] },
      { user: 'ann', allow: ['read'], topics: ['a/+'] },
      { group: 'ops', allow: ['read'], topics: ['a/#'] },
      { group: 'dev', allow: ['read'], topics: ['a/#'] },
      { user: 'ann', allow: ['write'], topics: ['a/b'] },
      { user: 'anonymous', deny: ['read'], topics: ['a/b'] },
      { user: '*', deny: ['read'], topics: ['a/secret', '$queue/a'] },
      { user: '*', allow: ['read'], topics: ['devices/%c'] },
    ]
    expect(await asked(rules, topic('a/b'))).toEqual([
      {
        rule: 'auth.rules[1] allows read on "a/+" for "ann"',
        weight: 'decides',
        because: 'reaches all of what was asked for',
      },
      {
        rule: 'auth.rules[2] allows read on "a/#" for group "ops"',
        weight: 'applies',
        because: 'reaches all of what was asked for; decided without it',
      },
      { rule: 'auth.rules[0] allows read on "#" for "bob"', weight: 'none', because: 'is for another user' },
      {
        rule: 'auth.rules[3] allows read on "a/#" for group "dev"',
        weight: 'none',
        because: 'is for a group that ann is not in',
      },
      { rule: 'auth.rules[4] allows write on "a/b" for "ann"', weight: 'none', because: 'is not about read' },
      {
        rule: 'auth.rules[5] denies read on "a/b" for "anonymous"',
        weight: 'none',
        because: 'is for clients without a user name',
      },
      {
        rule: 'auth.rules[6] denies read on "a/secret" for "*"',
        weight: 'none',
        because: 'reaches nothing of what was asked for',
      },
      { rule: 'auth.rules[6] denies read on "$queue/a" for "*"', weight: 'none', because: 'is about queues' },
      {
        rule: 'auth.rules[7] allows read on "devices/%c" for "*"',
        weight: 'none',
        because: 'has %c, and the client id is not known',
      },
    ])
  })

  it('says which part of a subscription each deny reaches', async () => {
    const rules: readonly AccessRule[] = [
      { user: 'ann', allow: ['read'], topics: ['#'] },
      { user: '*', deny: ['read'], topics: ['+/secret', 'a/b/#', 'c/#'] },
    ]
    expect((await asked(rules, filter('a/#'))).map(({ weight, because }) => `${weight}: ${because}`)).toEqual([
      'decides: reaches "a/secret", which is part of what was asked for',
      'applies: reaches all of what was asked for; decided without it',
      'applies: reaches "a/b/#", which is part of what was asked for; decided without it',
      'none: reaches nothing of what was asked for',
    ])
    expect((await asked(rules, filter('+/+/#'))).slice(0, 1).map(({ because }) => because)).toEqual([
      'reaches "+/secret", which is part of what was asked for',
    ])
  })

  it('says of an allow that is too narrow what it would reach', async () => {
    const rules: readonly AccessRule[] = [{ user: 'ann', allow: ['read'], topics: ['a/+', '$queue/o.*', '+/x'] }]
    expect((await asked(rules, filter('a/#'))).map(({ because }) => because)).toEqual([
      'reaches only "a/+", and one rule must allow all of what was asked for',
      'is about queues',
      'reaches only "a/x", and one rule must allow all of what was asked for',
    ])
    expect((await asked(rules, filter('$queue/o.>'))).map(({ because }) => because)[1]).toBe(
      'reaches only "$queue/o.*", and one rule must allow all of what was asked for',
    )
  })

  it("says of a wildcard that it does not reach the broker's own names in an allow", async () => {
    const rules: readonly AccessRule[] = [{ user: '*', allow: ['read'], topics: ['#', '%c/#'] }]
    expect(
      (await asked(rules, filter('$SYS/#'), 'read', { ...nobody, clientId: '$SYS' })).map(({ because }) => because),
    ).toEqual([
      "reaches no name that starts with '$', which an allow has to spell out",
      "reaches no name that starts with '$' by way of a variable",
    ])
  })

  it('takes read for browse, and admin for the making of a queue', async () => {
    const rules: readonly AccessRule[] = [{ user: 'ann', allow: ['read', 'admin'], topics: ['$queue/>'] }]
    expect(await asked(rules, queue('a'), 'browse')).toMatchObject([
      { rule: 'auth.rules[0] allows read on "$queue/>" for "ann"', weight: 'decides' },
    ])
    expect(await asked(rules, queue('a'), 'create')).toMatchObject([
      { rule: 'auth.rules[0] allows admin on "$queue/>" for "ann"', weight: 'decides' },
    ])
    expect(await asked(rules, queue('a'), 'write')).toMatchObject([{ weight: 'none', because: 'is not about write' }])
  })

  it('has no rules to show where the default or the lack of rules decided', async () => {
    const open = await new RuleAuthorizer({ rules: [] }).explain(ann, 'read', topic('a'), noPause)
    expect(open).toEqual({
      decision: { allowed: true, rule: 'there are no permissions: everybody may do everything' },
      rules: [],
      leftOutCount: 0,
    })
  })

  it('shows 200 rules at most, those of the least weight left out and counted', async () => {
    const rules = Array.from({ length: 1_000 }, (_, index): AccessRule => ({
      user: index === 999 ? 'ann' : 'bob',
      allow: ['read'],
      topics: ['a'],
    }))
    const explained = await new RuleAuthorizer({ rules }).explain(ann, 'read', topic('a'), noPause)
    expect(explained.rules).toHaveLength(200)
    expect(explained.rules[0]).toMatchObject({
      rule: 'access.rules[999] allows read on "a" for "ann"',
      weight: 'decides',
    })
    expect(explained.leftOutCount).toBe(800)
  })

  it('lets others have a turn while it looks at very many rules, and is about those of its beginning', async () => {
    const rules = Array.from({ length: 2_500 }, (): AccessRule => ({ user: 'ann', allow: ['read'], topics: ['a'] }))
    const authorizer = new RuleAuthorizer({ rules })
    let pauseCount = 0
    const explained = await authorizer.explain(ann, 'read', topic('a'), async () => {
      pauseCount++
      authorizer.replaceConfig({ rules: [{ user: 'ann', deny: ['read'], topics: ['#'] }] })
    })
    expect([pauseCount, explained.decision.allowed, explained.leftOutCount]).toEqual([5, true, 2_300])
    expect(authorizer.mayUse(ann, 'read', topic('a')).allowed).toBe(false)
  })

  const part = fc.constantFrom('a', 'b', '$x', '+', '%u')
  const text = fc
    .tuple(fc.array(part, { maxLength: 2 }), fc.constantFrom('a', '+', '#'))
    .map(([parts, last]) => [...parts, last].join('/'))
  const actions = fc.subarray(['read', 'write', 'browse', 'admin'] as const, { minLength: 1 })
  const rule = fc.record({
    who: fc.constantFrom('ann', 'bob', '*', 'group'),
    allow: actions,
    deny: fc.option(actions),
    topics: fc.array(text, { minLength: 1, maxLength: 3 }),
  })

  it('agrees with the decision it explains: exactly one rule decides, or none that applies does', async () => {
    const anyAction = fc.constantFrom<Action>('read', 'write', 'browse', 'create', 'admin')
    const wantedText = text.map((each) => each.replaceAll('%u', 'ann'))
    await fc.assert(
      fc.asyncProperty(
        fc.array(rule, { minLength: 1, maxLength: 5 }),
        wantedText,
        anyAction,
        async (drawn, wanted, action) => {
          const rules = drawn.map(({ who, allow, deny, topics }): AccessRule => {
            const given = { allow, deny: deny ?? [], topics }
            return who === 'group' ? { group: 'ops', ...given } : { user: who, ...given }
          })
          const authorizer = new RuleAuthorizer({ rules }, 'auth', () => ['ops'])
          const { decision, rules: looked } = await authorizer.explain(ann, action, filter(wanted), noPause)
          const deciding = new Set(looked.filter(({ weight }) => weight === 'decides').map(({ rule: name }) => name))
          if (decision.rule.startsWith('no rule of')) {
            expect(deciding.size).toBe(0)
            if (!decision.allowed && action !== 'create')
              expect(looked.filter(({ weight }) => weight === 'applies')).toEqual([])
          } else {
            expect(deciding.size).toBe(1)
            expect(decision.rule).toContain([...deciding][0])
          }
        },
      ),
      { numRuns: 1_000 },
    )
  })
})
