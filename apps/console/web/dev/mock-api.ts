/**
 * Answers the admin API from made-up data: for building pages without a broker. Lists are filtered, sorted and cut as the server does it;
 * changes are answered and mostly forgotten.
 */
import * as api from '@ternmq/api'
import * as made from './made-up.ts'
import { accessAnswers } from './mock-access.ts'
import { clientAnswers } from './mock-clients.ts'
import { type Answering, missing, on, pageOf, type Params, Refusal } from './mock-tools.ts'

export const operations: api.OperationItem[] = [
  {
    id: '3',
    action: 'retry',
    queue: 'DLQ',
    user: 'admin',
    state: 'stopped',
    total: 5_000,
    doneCount: 1_740,
    skippedCount: 3,
    refusedCount: 12,
    reason: 'orders.new is full (100,000 messages)',
    startedAtMs: Date.now() - 400_000,
    endedAtMs: Date.now() - 340_000,
    canResume: true,
  },
  {
    id: '2',
    action: 'move',
    queue: 'stock.failed',
    target: 'stock.retry',
    user: 'ops',
    state: 'done',
    total: 80,
    doneCount: 80,
    skippedCount: 0,
    refusedCount: 0,
    startedAtMs: Date.now() - 9_000_000,
    endedAtMs: Date.now() - 8_999_000,
    canResume: false,
  },
]

function operate(queue: string, body: api.ActionBody): api.OperationItem {
  const total = body.ids?.length ?? 240
  const running: api.OperationItem = {
    id: String(operations.length + 4),
    action: body.action,
    queue,
    target: body.target,
    user: 'admin',
    state: body.perSecond === undefined ? 'done' : 'running',
    total,
    doneCount: body.perSecond === undefined ? total : Math.floor(total / 3),
    skippedCount: 0,
    refusedCount: 0,
    startedAtMs: Date.now(),
    endedAtMs: body.perSecond === undefined ? Date.now() : undefined,
    canResume: false,
  }
  operations.unshift(running)
  return running
}

function queueOf(name: string | undefined): api.QueueItem {
  const queue = made.queues.find((one) => one.name === name)
  if (queue === undefined) throw missing('QUEUE_UNKNOWN', `queue '${name}'`)
  return queue
}

function detailOf(queue: api.QueueItem): api.QueueDetail {
  return {
    ...queue,
    oldestAgeMs: queue.readyCount === 0 ? undefined : 754_000,
    settings: { messagesMax: 100_000 },
    effective: [
      { key: 'durability', value: queue.durability, from: 'default' },
      { key: 'messagesMax', value: 100_000, from: 'queue' },
      { key: 'bytesMax', value: 1_073_741_824, from: 'default' },
      { key: 'whenFull', value: 'block', from: 'policy', policy: 'orders' },
      { key: 'redelivery.maxDeliveries', value: 10, from: 'policy', policy: 'config[0]' },
      { key: 'redelivery.delayMs', value: 0, from: 'default' },
      { key: 'deadLetter', value: queue.deadLetter, from: 'default' },
      { key: 'ttlMs', value: 0, from: 'default' },
      { key: 'exclusive', value: false, from: 'default' },
    ],
    bindings: queue.kind === 'subscription' ? ['devices/+/state', 'devices/+/alarm'] : [],
    consumers: made.consumersOf(queue),
  }
}

const answers: readonly Answering[] = [
  on(api.listQueues, ({ query }) => {
    let items = made.queues
    if (query['kind'] !== undefined) items = items.filter(({ kind }) => kind === query['kind'])
    if (query['nonEmpty'] === 'true') items = items.filter(({ readyCount }) => readyCount > 0)
    if (query['deadLetters'] === 'true') items = items.filter(({ isDeadLetter }) => isDeadLetter)
    const page = pageOf(items, query, ['name'])
    return { ...page, items: page.items.map((queue) => ({ ...queue, readyCount: moved(queue.readyCount) })) }
  }),
  on(api.getQueue, ({ params }) => detailOf(queueOf(params['queue']))),
  on(api.putQueue, ({ params, body }) => {
    if (/[*>]/.test(params['queue']!)) {
      throw new Refusal({
        code: 'INVALID',
        status: 400,
        title: 'Something in the call is not valid',
        detail: `'${params['queue']}' is not the name of a queue.`,
        field: 'queue',
        value: params['queue'],
        rule: 'levels divided by dots, without * and >',
      })
    }
    const there = made.queues.find(({ name }) => name === params['queue'])
    const queue = there ?? { ...queueOf('tmp.9f31'), name: params['queue']!, kind: 'queue' as const, automatic: false }
    if (there === undefined) made.queues.push(queue)
    return { ...detailOf(queue), settings: body.settings ?? {} }
  }),
  on(api.deleteQueue, ({ params }) => {
    const queue = queueOf(params['queue'])
    made.queues.splice(made.queues.indexOf(queue), 1)
    return { count: queue.readyCount, bytes: queue.readyBytes }
  }),
  on(api.purgeQueue, ({ params }) => ({
    count: queueOf(params['queue']).readyCount,
    bytes: queueOf(params['queue']).readyBytes,
  })),
  on(api.pauseQueue, ({ params }) => ({ ...queueOf(params['queue']), paused: true })),
  on(api.resumeQueue, ({ params }) => ({ ...queueOf(params['queue']), paused: false })),
  on(api.listConsumers, ({ query }) =>
    pageOf(
      made.queues
        .slice(0, 80)
        .flatMap(made.consumersOf)
        .filter(({ queue }) => query['queue'] === undefined || queue === query['queue']),
      query,
      ['queue', 'clientId'],
    ),
  ),
  on(api.browseMessages, ({ params, query }) => {
    if (query['selector']?.includes('==') === true) {
      throw new Refusal({
        code: 'INVALID',
        status: 400,
        title: 'Something in the call is not valid',
        detail: `The selector cannot be read at character 8: '=' is written once.`,
        field: 'selector',
        value: query['selector'],
        rule: "SQL-92, such as colour = 'red' AND priority > 4",
      })
    }
    const messages = Array.from({ length: Math.min(300, queueOf(params['queue']).readyCount) }, (_, index) =>
      made.makeMessage(params['queue']!, index),
    )
    return pageOf(messages, { ...query, q: '' }, ['id'])
  }),
  on(api.getMessage, ({ params }) => made.makeMessage(params['queue']!, Number(params['id']) - 900_000)),
  on(api.actOnMessages, ({ params, body }) => operate(params['queue']!, body)),
  on(api.listOperations, () => ({ items: operations })),
  on(api.getOperation, ({ params }) => operations.find(({ id }) => id === params['id'])!),
  on(api.cancelOperation, ({ params }) => ({
    ...operations.find(({ id }) => id === params['id'])!,
    state: 'cancelled' as const,
    canResume: true,
  })),
  on(api.resumeOperation, ({ params }) => ({
    ...operations.find(({ id }) => id === params['id'])!,
    state: 'running' as const,
    canResume: false,
  })),
  on(api.listDeadLetters, () => ({
    items: [
      {
        queue: 'DLQ',
        readyCount: 48,
        lookedAtCount: 48,
        groups: [
          {
            cause: 'rejected',
            originalQueue: 'orders.new',
            reason: 'the order has no customer',
            count: 24,
            oldestAtMs: Date.now() - 8_000_000,
          },
          { cause: 'deliveries', originalQueue: 'orders.new', count: 16, oldestAtMs: Date.now() - 50_000_000 },
          { cause: 'expired', originalQueue: 'billing.paid', count: 8, oldestAtMs: Date.now() - 600_000 },
        ],
      },
    ],
  })),
  ...clientAnswers,
  ...accessAnswers,
]

/** A number that goes up and down a little, so that there is something to see. */
export function moved(count: number): number {
  return count === 0 ? 0 : Math.max(0, Math.round(count * (1 + 0.15 * Math.sin(Date.now() / 9_000 + count))))
}

/** Finds who answers. Throws Refusal. */
export function answer(
  method: string,
  path: string,
  query: Params,
  body: unknown,
): { readonly status: number; readonly body: unknown } {
  for (const { route, answer: give } of answers) {
    const params = method === route.method ? paramsOf(route.path, path) : undefined
    if (params === undefined) continue
    const given = give({ params, query, body })
    return { status: route.status ?? 200, body: given }
  }
  throw new Refusal({
    code: 'ROUTE_UNKNOWN',
    status: 404,
    title: 'There is no such call',
    detail: `Nothing answers ${method} ${path}.`,
  })
}

function paramsOf(pattern: string, path: string): Params | undefined {
  const wanted = pattern.split('/')
  const given = path.split('/')
  if (wanted.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    if (part.startsWith('{')) params[part.slice(1, -1)] = decodeURIComponent(given[index]!)
    else if (part !== given[index]) return undefined
  }
  return params
}
