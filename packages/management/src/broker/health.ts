/** Whether the process does its work, and whether clients are served: for whoever starts it anew or sends clients to it. */
import { getLive, getReady, type Health, several } from '@ternmq/api'
import { bind, type Bound } from '../handlers.ts'
import type { ManagedBroker } from '../managed-broker.ts'

export function healthHandlers(broker: ManagedBroker): Bound[] {
  return [
    bind(getLive, () => health([{ name: 'event loop', ok: true, text: 'it answers' }, storeHolds(broker)])),
    bind(getReady, async () => health([listens(broker), storeHolds(broker), await storeTakes(broker)])),
  ]
}

type Check = Health['checks'][number]

function health(checks: readonly Check[]): Health {
  return { status: checks.every(({ ok }) => ok) ? 'ok' : 'failing', checks }
}

function storeHolds({ vhost }: ManagedBroker): Check {
  const ok = !vhost.log.isEnded
  return {
    name: 'store',
    ok,
    text: ok ? 'it has not failed' : 'it has failed, and the broker stops: nothing can be promised any more',
  }
}

async function storeTakes(broker: ManagedBroker): Promise<Check> {
  const { problem } = await broker.store()
  return { name: 'room', ok: problem === undefined, text: problem ?? 'the store takes messages' }
}

function listens(broker: ManagedBroker): Check {
  const { length: count } = broker.listeners()
  const { isStopping } = broker.vhost
  const text = isStopping
    ? 'the broker stops'
    : count === 0
      ? 'no listener is open'
      : `${several(count, 'listener is', 'listeners are')} open`
  return { name: 'listeners', ok: !isStopping && count > 0, text }
}
