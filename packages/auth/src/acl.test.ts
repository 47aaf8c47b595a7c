import { ALL_BELOW, DEFAULT_VHOST, ONE_LEVEL, matches } from '@ternmq/core'
import type { Action, Address, DestinationKind, Pattern, PatternLevel, Subject } from '@ternmq/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RuleAuthorizer } from './acl.ts'
import type { AccessRules } from './acl.ts'
import type { AccessRule, Permission, RuleAction } from './rules.ts'
import { parseTopicPattern } from './topic-pattern.ts'

const ann: Subject = { principal: { name: 'ann', anonymous: false }, clientId: 'd1' }
const bob: Subject = { principal: { name: 'bob', anonymous: false }, clientId: 'd2' }
const nobody: Subject = { principal: { name: 'anonymous', anonymous: true }, clientId: 'd3' }

const topic = (name: string, kind: DestinationKind = 'topic'): Address => ({
  vhost: DEFAULT_VHOST,
  kind,
  levels: name.split('/'),
})
const filter = (text: string): Pattern => ({
  vhost: DEFAULT_VHOST,
  kind: 'topic',
  levels: parseTopicPattern(text).fixed ?? [],
})

function authorizer(...rules: AccessRule[]): RuleAuthorizer {
  return new RuleAuthorizer({ rules })
}

describe('RuleAuthorizer without rules', () => {
  const open = new RuleAuthorizer({ rules: [] })

  it('allows everyone everything but admin to anonymous clients', () => {
    for (const action of ['read', 'write', 'create', 'browse'] as const) {
      expect(open.mayUse(nobody, action, topic('a')).allowed).toBe(true)
      expect(open.mayMatch(ann, action, filter('#')).allowed).toBe(true)
    }
    expect(open.mayUse(ann, 'admin', topic('a')).allowed).toBe(true)
    expect(open.mayUse(nobody, 'admin', topic('a')).allowed).toBe(false)
  })

  it('ignores defaultAccess, which is about what rules leave open', () => {
    expect(new RuleAuthorizer({ rules: [], defaultAccess: 'deny' }).mayUse(ann, 'read', topic('a')).allowed).toBe(true)
  })
})

describe('RuleAuthorizer', () => {
  it('denies what no rule allows, and names the setting', () => {
    const rules = authorizer({ user: 'ann', allow: ['read'], topics: ['a/#'] })
    expect(rules.mayUse(ann, 'read', topic('a/b')).allowed).toBe(true)
    expect(rules.mayUse(ann, 'write', topic('a/b')).allowed).toBe(false)
    expect(rules.mayUse(bob, 'read', topic('a/b'))).toEqual({
      allowed: false,
      rule: 'no rule of access.rules applies: access.defaultAccess is deny',
    })
  })

  it('allows what no rule denies when the default says so', () => {
    const rules = new RuleAuthorizer({ rules: [{ user: '*', deny: ['write'], topics: ['a'] }], defaultAccess: 'allow' })
    expect(rules.mayUse(ann, 'write', topic('b')).allowed).toBe(true)
    expect(rules.mayUse(ann, 'write', topic('a')).allowed).toBe(false)
    expect(rules.mayUse(ann, 'read', topic('a')).allowed).toBe(true)
  })

  it('lets deny win over allow in either order, for everyone over for one', () => {
    const allow: AccessRule = { user: 'ann', allow: ['read'], topics: ['a/b'] }
    const deny: AccessRule = { user: '*', deny: ['read'], topics: ['a/+'] }
    expect(authorizer(allow, deny).mayUse(ann, 'read', topic('a/b')).allowed).toBe(false)
    expect(authorizer(deny, allow).mayUse(ann, 'read', topic('a/b')).allowed).toBe(false)
  })

  it('says which rule decided, in the words of the configuration', () => {
    const rules = new RuleAuthorizer(
      { rules: [{ user: 'ann', allow: ['read'], deny: ['write'], topics: ['x', 'a/#'] }] },
      'listeners.mqtt.access',
    )
    expect(rules.mayUse(ann, 'read', topic('a')).rule).toBe(
      'listeners.mqtt.access.rules[0] allows read on "a/#" for "ann"',
    )
    expect(rules.mayUse(ann, 'write', topic('a')).rule).toBe(
      'listeners.mqtt.access.rules[0] denies write on "a/#" for "ann"',
    )
  })

  it('applies "*" to anonymous clients too, and "anonymous" to them alone', () => {
    const rules = authorizer(
      { user: '*', allow: ['read'], topics: ['all'] },
      { user: 'anonymous', allow: ['read'], topics: ['public'] },
    )
    expect([ann, nobody].map((who) => rules.mayUse(who, 'read', topic('all')).allowed)).toEqual([true, true])
    expect([ann, nobody].map((who) => rules.mayUse(who, 'read', topic('public')).allowed)).toEqual([false, true])
  })

  it('does not take a principal for "*" or "anonymous" because of its name', () => {
    const rules = authorizer({ user: 'anonymous', allow: ['read'], topics: ['a'] })
    expect(
      rules.mayUse({ principal: { name: 'anonymous', anonymous: false }, clientId: 'd' }, 'read', topic('a')).allowed,
    ).toBe(false)
    expect(
      rules.mayUse({ principal: { name: '__proto__', anonymous: false }, clientId: 'd' }, 'read', topic('a')).allowed,
    ).toBe(false)
  })

  const ACTIONS = ['read', 'write', 'create', 'browse', 'admin'] as const
  const allowedActions = (rules: AccessRules, name = 'a'): Action[] =>
    ACTIONS.filter((action) => new RuleAuthorizer(rules).mayUse(ann, action, topic(name)).allowed)
  const ALLOWED_BY_RULE: readonly (readonly [given: RuleAction, allowed: readonly Action[]])[] = [
    ['read', ['read', 'browse']],
    ['write', ['write', 'create']],
    ['browse', ['browse']],
    ['admin', ['create', 'admin']],
  ]
  for (const [given, allowed] of ALLOWED_BY_RULE) {
    it(`allows ${allowed.join(' and ')} to whom a rule gives ${given}`, () => {
      expect(allowedActions({ rules: [{ user: 'ann', allow: [given], topics: ['a'] }] })).toEqual(allowed)
    })
  }

  const LEFT_BY_DENY: readonly (readonly [denied: RuleAction, left: readonly Action[]])[] = [
    ['read', ['write', 'create', 'admin']],
    ['write', ['read', 'create', 'browse', 'admin']],
    ['browse', ['read', 'write', 'create', 'admin']],
    ['admin', ['read', 'write', 'create', 'browse']],
  ]
  for (const [denied, left] of LEFT_BY_DENY) {
    it(`leaves ${left.join(', ')} to whom everything is allowed but ${denied} denied`, () => {
      const all: AccessRule = { user: 'ann', allow: ['read', 'write', 'browse', 'admin'], topics: ['#'] }
      const deny: AccessRule = { user: 'ann', deny: [denied], topics: ['a'] }
      expect(allowedActions({ rules: [all, deny] })).toEqual(left)
      expect(allowedActions({ rules: [deny, all] })).toEqual(left)
    })
  }

  it('gives admin by rules alone, whatever the default', () => {
    const config: AccessRules = { rules: [{ user: 'bob', allow: ['read'], topics: ['a'] }], defaultAccess: 'allow' }
    expect(allowedActions(config)).toEqual(['read', 'write', 'create', 'browse'])
    expect(new RuleAuthorizer(config).mayUse(ann, 'admin', topic('a')).rule).toBe(
      'no rule of access.rules gives admin rights, and nothing else does',
    )
  })

  it('says of a denied browse that it was read that is denied', () => {
    const rules = authorizer({ user: 'ann', allow: ['browse'], deny: ['read'], topics: ['a'] })
    expect(rules.mayUse(ann, 'browse', topic('a')).rule).toBe('access.rules[0] denies read on "a" for "ann"')
  })

  it('leaves what is temporary to the default', () => {
    const rules: AccessRules = { rules: [{ user: '*', allow: ['read'], topics: ['#'] }] }
    for (const kind of ['temp-queue', 'temp-topic'] as const) {
      expect(new RuleAuthorizer(rules).mayUse(ann, 'read', topic('a', kind)).allowed).toBe(false)
      expect(
        new RuleAuthorizer({ ...rules, defaultAccess: 'allow' }).mayUse(ann, 'read', topic('a', kind)).allowed,
      ).toBe(true)
    }
  })

  it('gives a device its own topics by client id and user name', () => {
    const rules = authorizer({ user: '*', allow: ['read', 'write'], topics: ['devices/%c/#', 'users/%u'] })
    expect(rules.mayUse(ann, 'write', topic('devices/d1/temp')).allowed).toBe(true)
    expect(rules.mayUse(ann, 'write', topic('devices/d2/temp')).allowed).toBe(false)
    expect(rules.mayMatch(ann, 'read', filter('devices/d1/#')).allowed).toBe(true)
    expect(rules.mayMatch(ann, 'read', filter('devices/+/#')).allowed).toBe(false)
    expect(rules.mayUse(nobody, 'read', topic('users/anonymous')).allowed).toBe(false)
  })

  it('gives a client called like a wildcard no more than that', () => {
    const rules = authorizer({ user: '*', allow: ['read', 'write'], topics: ['devices/%c/#'] })
    for (const clientId of ['#', '+', 'd1/#', '']) {
      const sly: Subject = { ...ann, clientId }
      for (const text of ['devices/+/#', 'devices/#', 'devices/d1/#', 'devices/d1', '#']) {
        expect(rules.mayMatch(sly, 'read', filter(text)).allowed).toBe(false)
      }
    }
  })

  it("does not lift a client among the broker's own names by its client id", () => {
    const rules = authorizer({ user: '*', allow: ['read', 'write'], topics: ['%c/#', '$SYS/clients/%c'] })
    const sly: Subject = { ...ann, clientId: '$SYS' }
    expect(rules.mayUse(sly, 'write', topic('$SYS/broker')).allowed).toBe(false)
    expect(rules.mayMatch(sly, 'read', filter('$SYS/#')).allowed).toBe(false)
    expect(rules.mayUse(ann, 'write', topic('d1/x')).allowed).toBe(true)
    expect(rules.mayUse(ann, 'read', topic('$SYS/clients/d1')).allowed).toBe(true)
  })

  it('needs $ names spelled out in an allow, but not in a deny', () => {
    const allows = authorizer({ user: '*', allow: ['read'], topics: ['#'] })
    expect(allows.mayMatch(ann, 'read', filter('$SYS/#')).allowed).toBe(false)
    const denies = new RuleAuthorizer({ rules: [{ user: '*', deny: ['read'], topics: ['#'] }], defaultAccess: 'allow' })
    expect(denies.mayMatch(ann, 'read', filter('$SYS/#')).allowed).toBe(false)
  })

  it('refuses a subscription that is broader than what is allowed', () => {
    const rules = authorizer({ user: 'ann', allow: ['read'], topics: ['a/+'] })
    expect(rules.mayMatch(ann, 'read', filter('a/+')).allowed).toBe(true)
    expect(rules.mayMatch(ann, 'read', filter('a/b')).allowed).toBe(true)
    for (const broader of ['a/#', '+/b', '#', 'a/+/#'])
      expect(rules.mayMatch(ann, 'read', filter(broader)).allowed).toBe(false)
  })

  it('refuses a subscription that reaches a denied topic, and says to ask for less', () => {
    const rules = authorizer(
      { user: 'ann', allow: ['read'], topics: ['#'] },
      { user: '*', deny: ['read'], topics: ['a/secret', '$SYS/#'] },
    )
    expect(rules.mayMatch(ann, 'read', filter('a/+')).rule).toBe(
      'access.rules[1] denies read on "a/secret" for "*", which is part of what was asked for; ask for less',
    )
    expect(rules.mayMatch(ann, 'read', filter('#')).allowed).toBe(false)
    expect(rules.mayMatch(ann, 'read', filter('b/#')).allowed).toBe(true)
    // '#' does not match names that start with '$': a deny on them does not stand in its way.
    const onlySys = authorizer(
      { user: '*', allow: ['read'], topics: ['#'] },
      { user: '*', deny: ['read'], topics: ['$SYS/#'] },
    )
    expect(onlySys.mayMatch(ann, 'read', filter('#')).allowed).toBe(true)
  })

  it('moves its generation when the rules change, and keeps the old ones when the new ones are bad', () => {
    const rules = authorizer({ user: 'ann', allow: ['read'], topics: ['a'] })
    expect(() => rules.replaceConfig({ rules: [{ user: 'ann', allow: ['read'], topics: ['a#'] }] })).toThrow()
    expect(rules.generation).toBe(0)
    expect(rules.mayUse(ann, 'read', topic('a')).allowed).toBe(true)
    rules.replaceConfig({ rules: [{ user: 'ann', allow: ['read'], topics: ['b'] }] })
    expect(rules.generation).toBe(1)
    expect(rules.mayUse(ann, 'read', topic('a')).allowed).toBe(false)
  })

  it('leaves all as it is, and its generation, when the configuration says the same again', () => {
    const rules = authorizer({ user: 'ann', allow: ['read'], topics: ['a'] })
    const same = { rules: [{ user: 'ann', allow: ['read' as const], topics: ['a'] }] }
    rules.checkConfig(same)
    rules.replaceConfig(same)
    expect(rules.generation).toBe(0)
    rules.replaceConfig({ ...same, defaultAccess: 'allow' })
    expect([rules.generation, rules.mayUse(ann, 'write', topic('x')).allowed]).toEqual([1, true])
    expect(() => rules.checkConfig({ rules: [{ user: 'ann', allow: ['read'], topics: ['a#'] }] })).toThrow('topics[0]')
  })

  it('keeps permissions when the configuration changes, and the configuration when permissions do', () => {
    const rules = authorizer({ user: 'ann', allow: ['read'], topics: ['a'] })
    rules.replacePermissions([{ id: 'b-read', user: 'ann', allow: ['read'], topics: ['b'] }])
    expect(['a', 'b', 'c'].map((name) => rules.mayUse(ann, 'read', topic(name)).rule)).toEqual([
      'access.rules[0] allows read on "a" for "ann"',
      'permission \'b-read\' allows read on "b" for "ann"',
      'no rule of access.rules and no permission applies: access.defaultAccess is deny',
    ])
    rules.replaceConfig({ rules: [] })
    expect(['a', 'b'].map((name) => rules.mayUse(ann, 'read', topic(name)).allowed)).toEqual([false, true])
    rules.replaceConfig({ rules: [{ user: 'ann', allow: ['read'], topics: ['a'] }] })
    rules.replacePermissions([])
    expect(['a', 'b'].map((name) => rules.mayUse(ann, 'read', topic(name)).allowed)).toEqual([true, false])
    expect(rules.generation).toBe(4)
  })

  it('says whether what no rule allows would be denied, with its own configuration and with another one', () => {
    const rules = authorizer()
    const some = [{ user: 'ann', allow: ['read'], topics: ['a'] }] as const
    expect([0, 1].map((count) => rules.isLimitedWith(count))).toEqual([false, true])
    expect([0, 1].map((count) => rules.isLimitedWith(count, { rules: [...some] }))).toEqual([true, true])
    rules.replaceConfig({ rules: [...some], defaultAccess: 'allow' })
    expect([0, 1].map((count) => rules.isLimitedWith(count))).toEqual([false, false])
    expect([0, 1].map((count) => rules.isLimitedWith(count, { rules: [] }))).toEqual([false, true])
  })

  it('tells its listeners of every change, and of none that was refused', () => {
    const rules = authorizer()
    const seen: number[] = []
    const cancel = rules.onChange(() => seen.push(rules.generation))
    rules.replaceConfig({ rules: [{ user: 'ann', allow: ['read'], topics: ['a'] }] })
    expect(() => rules.replacePermissions([{ id: '', user: 'ann', allow: ['read'], topics: ['a'] }])).toThrow('id')
    rules.replacePermissions([])
    rules.forget()
    cancel()
    rules.forget()
    expect(seen).toEqual([1, 2, 3])
  })

  it('lets a deny of one source win over an allow of the other', () => {
    const allow: AccessRule = { user: 'ann', allow: ['read'], topics: ['#'] }
    const deny: AccessRule = { user: '*', deny: ['read'], topics: ['a'] }
    const denied = authorizer(allow)
    denied.replacePermissions([{ id: 'no', ...deny }])
    const deniedToo = authorizer(deny)
    deniedToo.replacePermissions([{ id: 'yes', ...allow }])
    expect([denied, deniedToo].map((rules) => rules.mayUse(ann, 'read', topic('a')).allowed)).toEqual([false, false])
  })

  describe('with groups', () => {
    const groups = new Map([['ann', ['ops', 'dev']]])
    const withGroups = (...rules: AccessRule[]): RuleAuthorizer =>
      new RuleAuthorizer({ rules }, 'access', (name) => groups.get(name) ?? [])

    it('gives a user what its groups are given, and denies what one of them is denied', () => {
      const rules = withGroups(
        { group: 'ops', allow: ['read'], topics: ['#'] },
        { group: 'dev', deny: ['read'], topics: ['prod/#'] },
      )
      expect(rules.mayUse(ann, 'read', topic('test/x')).rule).toBe('access.rules[0] allows read on "#" for group "ops"')
      expect(rules.mayUse(ann, 'read', topic('prod/x')).rule).toBe(
        'access.rules[1] denies read on "prod/#" for group "dev"',
      )
      expect(rules.mayUse(bob, 'read', topic('test/x')).allowed).toBe(false)
    })

    it('asks for the groups at every decision, and moves its generation when told to', () => {
      const rules = withGroups({ group: 'late', allow: ['read'], topics: ['a'] })
      expect(rules.mayUse(bob, 'read', topic('a')).allowed).toBe(false)
      groups.set('bob', ['late'])
      rules.forget()
      expect(rules.generation).toBe(1)
      expect(rules.mayUse(bob, 'read', topic('a')).allowed).toBe(true)
    })

    it('knows no groups of an anonymous client, and takes no group for a user', () => {
      groups.set('anonymous', ['ops'])
      const rules = withGroups({ group: 'ops', allow: ['read'], topics: ['a'] })
      expect(rules.mayUse(nobody, 'read', topic('a')).allowed).toBe(false)
      const called = { principal: { name: 'ops', anonymous: false }, clientId: 'd' }
      expect(rules.mayUse(called, 'read', topic('a')).allowed).toBe(false)
    })
  })

  const INVALID_PERMISSIONS: readonly (readonly [permission: Permission, problem: string])[] = [
    [{ id: '', user: 'ann', allow: ['read'], topics: ['a'] }, 'permission id "" is not 1 to 64 letters'],
    [{ id: 'a/b', user: 'ann', allow: ['read'], topics: ['a'] }, 'permission id "a/b" is not'],
    [{ id: 'twice', user: 'ann', allow: ['read'], topics: ['a'] }, "permission 'twice' is there twice"],
    [{ id: 'x', user: 'ann', allow: ['read'], topics: ['a#'] }, 'permission \'x\'.topics[0] is "a#", which has'],
    [{ id: 'x', allow: ['read'], topics: ['a'] }, "permission 'x' is for nobody; give it a user or a group"],
    [{ id: 'x', user: 'ann', group: 'g', allow: ['read'], topics: ['a'] }, "permission 'x' has a user and a group"],
    [{ id: 'x', group: '*', allow: ['read'], topics: ['a'] }, 'permission \'x\'.group is "*", which has a meaning'],
    [{ id: 'x', user: 'ann', allow: ['fly' as 'read'], topics: ['a'] }, 'permission \'x\' names the action "fly"'],
  ]
  for (const [permission, problem] of INVALID_PERMISSIONS) {
    it(`refuses permissions because ${problem}, and keeps those it has`, () => {
      const rules = authorizer()
      rules.replacePermissions([{ id: 'old', user: 'ann', allow: ['read'], topics: ['old'] }])
      const before = permission.id === 'twice' ? [permission] : []
      expect(() => rules.replacePermissions([...before, permission])).toThrow(problem)
      expect(rules.mayUse(ann, 'read', topic('old')).allowed).toBe(true)
      expect(rules.generation).toBe(1)
    })
  }

  const INVALID: readonly (readonly [rule: AccessRule, problem: string])[] = [
    [{ user: '', allow: ['read'], topics: ['a'] }, 'access.rules[0].user is "", which is empty'],
    [{ user: '$x', allow: ['read'], topics: ['a'] }, 'access.rules[0].user is "$x", which starts with \'$\''],
    [{ user: 'ann', allow: ['read'], topics: [Array.from({ length: 1_026 }, () => 'a').join('/')] }, 'has 1026 levels'],
    [{ user: 'ann', topics: ['a'] }, 'access.rules[0] allows and denies nothing'],
    [{ user: 'ann', allow: [], deny: [], topics: ['a'] }, 'access.rules[0] allows and denies nothing'],
    [{ user: 'ann', allow: ['read'], topics: [] }, 'access.rules[0].topics is empty'],
    [
      { user: 'ann', allow: ['read'], topics: ['a', '#/b'] },
      'access.rules[0].topics[1] is "#/b", which has \'#\' before',
    ],
    [
      { user: 'ann', allow: ['read'], topics: Array.from({ length: 1_001 }, () => 'a') },
      'has 1001 patterns, at most 1000',
    ],
  ]
  for (const [rule, problem] of INVALID) {
    it(`refuses a configuration because ${problem}`, () => {
      expect(() => authorizer(rule)).toThrow(expect.objectContaining({ code: 'AUTH_RULES_INVALID' }))
      expect(() => authorizer(rule)).toThrow(problem)
    })
  }

  it('refuses more rules than the limit', () => {
    const rule: AccessRule = { user: 'ann', allow: ['read'], topics: ['a'] }
    expect(() => authorizer(...Array.from({ length: 10_001 }, () => rule))).toThrow('has 10001 rules, at most 10000')
  })
})

describe('any set of rules', () => {
  const LEVELS = ['a', 'b', 'd1', 'ann', '$x', 'z']
  const names = LEVELS.flatMap((one) => [
    [one],
    ...LEVELS.flatMap((two) => [[one, two], ...LEVELS.map((three) => [one, two, three])]),
  ])

  const part = fc.constantFrom('a', 'b', 'd1', '$x', '+', '%c', '%u')
  const ruleTopic = fc
    .tuple(fc.array(part, { maxLength: 2 }), fc.constantFrom('a', '+', '#', '%c'))
    .map(([parts, last]) => [...parts, last].join('/'))
  const actions = fc.subarray(['read', 'write', 'browse'] as const, { minLength: 1 })
  const rule = fc.record({
    user: fc.constantFrom('ann', 'bob', '*', 'anonymous'),
    kind: fc.constantFrom('allow', 'deny'),
    actions,
    topics: fc.array(ruleTopic, { minLength: 1, maxLength: 3 }),
  })
  const config = fc.record({
    defaultAccess: fc.constantFrom('allow' as const, 'deny' as const),
    rules: fc
      .array(rule, { minLength: 1, maxLength: 5 })
      .map((rules) =>
        rules.map(({ user, kind, actions: named, topics }): AccessRule =>
          kind === 'allow' ? { user, allow: named, topics } : { user, deny: named, topics },
        ),
      ),
  })
  const who = fc.constantFrom(ann, bob, nobody)
  const wantedFilter = fc
    .tuple(
      fc.array(fc.constantFrom<PatternLevel>('a', 'b', 'd1', '$x', ONE_LEVEL), { maxLength: 2 }),
      fc.constantFrom<PatternLevel>('a', ONE_LEVEL, ALL_BELOW),
    )
    .map(([levels, last]): Pattern => ({ vhost: DEFAULT_VHOST, kind: 'topic', levels: [...levels, last] }))

  /** The rules as a person would apply them to one topic, without any of the code under test. */
  function referenceAllows(rules: AccessRules, subject: Subject, action: RuleAction, name: string[]): boolean {
    const applies = (each: AccessRule): boolean =>
      each.user === '*' ||
      (subject.principal.anonymous ? each.user === 'anonymous' : each.user === subject.principal.name)
    const reaches = (text: string, reservedToo: boolean): boolean => {
      if (text.includes('%u') && subject.principal.anonymous) return false
      const levels = text.split('/').map((level): PatternLevel => {
        if (level === '+') return ONE_LEVEL
        if (level === '#') return ALL_BELOW
        return level.replaceAll('%u', subject.principal.name).replaceAll('%c', subject.clientId)
      })
      return reservedToo ? matches(['', ...levels], ['', ...name]) : matches(levels, name)
    }
    const some = (kind: 'allow' | 'deny'): boolean =>
      rules.rules.some(
        (each) =>
          applies(each) &&
          (each[kind]?.includes(action) === true || (action === 'browse' && each[kind]?.includes('read') === true)) &&
          each.topics.some((text) => reaches(text, kind === 'deny')),
      )
    return !some('deny') && (rules.defaultAccess === 'allow' || some('allow'))
  }

  it('decides every single topic as a plain reading of the rules does', () => {
    fc.assert(
      fc.property(
        config,
        who,
        fc.constantFrom('read' as const, 'write' as const, 'browse' as const),
        (rules, subject, action) => {
          const compiled = new RuleAuthorizer(rules)
          for (const levels of names) {
            const address: Address = { vhost: DEFAULT_VHOST, kind: 'topic', levels }
            const allowed = compiled.mayUse(subject, action, address).allowed
            expect(allowed).toBe(referenceAllows(rules, subject, action, levels))
            expect(compiled.mayMatch(subject, action, address).allowed).toBe(allowed)
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  it('never allows a subscription that could deliver a topic which is not allowed by itself', () => {
    fc.assert(
      fc.property(config, who, wantedFilter, (rules, subject, wanted) => {
        const compiled = new RuleAuthorizer(rules)
        if (!compiled.mayMatch(subject, 'read', wanted).allowed) return
        const leaked = names.filter(
          (levels) =>
            matches(wanted.levels, levels) &&
            !compiled.mayUse(subject, 'read', { vhost: DEFAULT_VHOST, kind: 'topic', levels }).allowed,
        )
        expect(leaked).toEqual([])
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('queues', () => {
  const queue = (name: string): Address => ({ vhost: '/', kind: 'queue', levels: name.split('.') })
  const decide = (rules: AccessRules, name: string, user = 'ada'): boolean =>
    new RuleAuthorizer(rules).mayUse(
      { principal: { name: user, anonymous: false }, clientId: 'c' },
      'read',
      queue(name),
    ).allowed
  const allow = (...topics: string[]): AccessRules => ({ rules: [{ user: '*', allow: ['read'], topics }] })

  it.for([
    ['$queue/orders', 'orders', true],
    ['$queue/orders', 'orders.eu', false],
    ['$queue/orders.*', 'orders.eu', true],
    ['$queue/orders.*', 'orders.eu.new', false],
    ['$queue/orders.>', 'orders.eu.new', true],
    ['$queue/>', 'anything', true],
    ['$queue/%u.>', 'ada.inbox', true],
    ['$queue/%u.>', 'bob.inbox', false],
    ['#', 'orders', false],
    ['orders/#', 'orders.eu', false],
  ] as const)('a rule for %s allows queue %s: %s', ([pattern, name, allowed]) => {
    expect(decide(allow(pattern), name)).toBe(allowed)
  })

  it('a rule for a queue reaches no topic', () => {
    const authorizer = new RuleAuthorizer(allow('$queue/a'))
    const subject = { principal: { name: 'ada', anonymous: false }, clientId: 'c' }
    expect(authorizer.mayUse(subject, 'read', { vhost: '/', kind: 'topic', levels: ['a'] }).allowed).toBe(false)
  })

  it('a deny of everything reaches queues too', () => {
    const rules: AccessRules = { rules: [{ user: 'ada', deny: ['read'], topics: ['#'] }], defaultAccess: 'allow' }
    expect([decide(rules, 'orders'), decide(rules, 'orders', 'bob')]).toEqual([false, true])
  })

  it('a rule that names no queue is refused', () => {
    expect(() => new RuleAuthorizer(allow('$queue/'))).toThrow(/names no queue/)
  })
})
