/** node acl.bench.ts: one decision among few and among many rules; it must not grow with their number. */
import { ALL_BELOW, DEFAULT_VHOST, ONE_LEVEL, type Address, type Pattern, type Subject } from '@ternmq/core'
import { bench, do_not_optimize, run, summary } from 'mitata'
import { RuleAuthorizer } from './acl.ts'
import type { AccessRule } from './rules.ts'

const ann: Subject = { principal: { name: 'ann', anonymous: false }, clientId: 'd1' }
const topic = (name: string): Address => ({ vhost: DEFAULT_VHOST, kind: 'topic', levels: name.split('/') })
const below = (name: string): Pattern => ({
  vhost: DEFAULT_VHOST,
  kind: 'topic',
  levels: [...name.split('/'), ALL_BELOW],
})

/** Half of them allow one device each, half deny one of its topics; all for one user. */
function rulesFor(count: number): AccessRule[] {
  return Array.from({ length: count }, (_, index): AccessRule =>
    index % 2 === 0
      ? { user: 'ann', allow: ['read', 'write'], topics: [`devices/d${index}/#`] }
      : { user: 'ann', deny: ['read', 'write'], topics: [`devices/d${index - 1}/secret/+`] },
  )
}

const everyone: AccessRule[] = [{ user: '*', allow: ['read', 'write'], topics: ['devices/%c/#', 'news/#'] }]
for (const count of [10, 100, 1_000, 10_000]) {
  const authorizer = new RuleAuthorizer({ rules: [...rulesFor(count), ...everyone].slice(-10_000) })
  const last = count - 2
  summary(() => {
    bench(`publish, allowed by the last of ${count} rules`, () => {
      do_not_optimize(authorizer.mayUse(ann, 'write', topic(`devices/d${last}/motor/temperature`)))
    })
    bench(`publish, allowed by a rule with %c beside ${count}`, () => {
      do_not_optimize(authorizer.mayUse(ann, 'write', topic('devices/d1/temperature')))
    })
    bench(`publish, by none of ${count}`, () => {
      do_not_optimize(authorizer.mayUse(ann, 'write', topic('other/d1/temperature')))
    })
    bench(`subscribe to all of a device beside ${count}`, () => {
      do_not_optimize(authorizer.mayMatch(ann, 'read', below('devices/d1')))
    })
    bench(`subscribe to +/d${last}/#, denied in part, of ${count}`, () => {
      const pattern: Pattern = { vhost: DEFAULT_VHOST, kind: 'topic', levels: [ONE_LEVEL, `d${last}`, ALL_BELOW] }
      do_not_optimize(authorizer.mayMatch(ann, 'read', pattern))
    })
  })
}
const many = rulesFor(10_000)
bench('read 10,000 rules', () => do_not_optimize(new RuleAuthorizer({ rules: many })))

await run()
