/** node router.bench.ts: a publish whose route is known, and one after a binding has changed, by the number of receivers. */
import { virtualEnv } from '@ternmq/testkit'
import { bench, run } from 'mitata'
import { messageOf, patternOf, queueContext } from '../../test/support.ts'
import { Queue } from '../queue/queue.ts'
import { type Binding, offerAll, Router, targetsOf } from './router.ts'
import { subscriptionSettings } from '../queue/settings.ts'

const context = queueContext(virtualEnv())
// At most once and nobody attached: each queue says no at once, so that the router's own work is left.
const message = messageOf('a/b', 'x'.repeat(200), { assurance: 0 })
message.detach()

function routerWith(receivers: number): Router {
  const router = new Router()
  for (let index = 0; index < receivers; index++) router.bind(bindingTo('a/+'))
  return router
}

function bindingTo(filter: string): Binding {
  const queue = new Queue(context, 'q', subscriptionSettings({ messagesMax: 1, bytesMax: 1 }), false)
  return { pattern: patternOf(filter), queue, assuranceMax: 0, exceptFrom: undefined, data: {} }
}

for (const receivers of [1, 50, 10_000]) {
  const router = routerWith(receivers)
  const route = router.routeOf('a/b')
  const elsewhere = bindingTo('elsewhere')
  bench(`publish to ${receivers}, route known`, () => offerAll(targetsOf(route), message))
  bench(`publish to ${receivers}, after a binding somewhere else came and went`, () => {
    router.bind(elsewhere)
    router.unbind(elsewhere)
    offerAll(targetsOf(route), message)
  })
}

const router = routerWith(1)
bench('look up a known route by its topic', () => router.routeOf('a/b'))

await run()
