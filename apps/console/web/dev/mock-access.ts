/** What the made-up broker answers about access and settings. */
import * as api from '@ternmq/api'
import * as made from './made-up.ts'
import { type Answering, on, pageOf, Refusal } from './mock-tools.ts'

const users: api.UserItem[] = ['admin', 'ops', 'app', 'device'].map((name, index) => ({
  name,
  role: (['administrator', 'operator', undefined, undefined] as const)[index],
  groups: index > 1 ? ['services'] : [],
  password: name !== 'device',
  scram: index < 2,
  createdAtMs: made.START_MS,
  changedAtMs: made.START_MS + 5_000_000,
  connectionCount: [1, 2, 310, 180][index]!,
}))

const permissions: api.PermissionItem[] = [
  { id: 'config[0]', user: '*', allow: ['read'], deny: [], topics: ['$SYS/#'], from: 'config' },
  {
    id: 'devices',
    description: 'Each device has its own branch',
    user: 'device',
    allow: ['read', 'write'],
    deny: [],
    topics: ['devices/%c/#'],
    from: 'api',
  },
  {
    id: 'services',
    group: 'services',
    allow: ['read', 'write', 'browse'],
    deny: [],
    topics: ['$queue/orders.>', '$queue/billing.>'],
    from: 'api',
  },
  { id: 'no-audit', user: 'app', allow: [], deny: ['read', 'browse'], topics: ['$queue/audit.>'], from: 'api' },
]

const policies: api.PolicyItem[] = [
  {
    id: 'config[0]',
    match: '>',
    settings: { redelivery: { maxDeliveries: 10 } },
    order: 0,
    from: 'config',
    queueCount: made.queues.length,
  },
  {
    id: 'orders',
    match: 'orders.>',
    settings: { whenFull: 'block', deadLetter: 'DLQ' },
    order: 1,
    from: 'api',
    queueCount: 7,
  },
]

const config: api.ConfigItem[] = [
  {
    key: 'listeners.mqtt.port',
    value: 1_883,
    defaultValue: 1_883,
    source: 'default',
    description: 'TCP port. 0: any that is free.',
    allowed: '0 to 65,535',
    reload: 'start',
  },
  {
    key: 'mqtt.maxPacketBytes',
    value: 2_097_152,
    defaultValue: 1_048_576,
    source: 'file ternmq.yaml:12',
    description: 'Largest packet accepted, in bytes. Announced in CONNACK.',
    allowed: '1,024 to 268,435,460',
    reload: 'connection',
  },
  {
    key: 'queues.messagesMax',
    value: 100_000_000,
    defaultValue: 100_000_000,
    source: 'default',
    description: 'Messages waiting in one queue. Beyond it whenFull says what happens.',
    allowed: '1 to 1,000,000,000',
    reload: 'live',
  },
  {
    key: 'queues.whenFull',
    value: 'reject',
    defaultValue: 'block',
    source: 'api',
    description: 'What a full queue does with a new message.',
    allowed: 'block, reject, drop-oldest',
    reload: 'live',
  },
  {
    key: 'limits.waitingBytesMax',
    value: 268_435_456,
    defaultValue: 268_435_456,
    source: 'TERNMQ_LIMITS__WAITING_BYTES_MAX',
    description: 'Bytes of waiting messages in memory.',
    allowed: '1,048,576 to 1,099,511,627,776',
    reload: 'live',
  },
  {
    key: 'auth.defaultAccess',
    value: 'deny',
    defaultValue: 'allow',
    source: 'flag --set',
    description: 'What holds where no rule speaks.',
    allowed: 'allow, deny',
    reload: 'live',
  },
]

const plan: api.Plan = {
  id: 'p-77',
  unchangedCount: 11,
  warnings: [],
  steps: [
    { change: 'create', kind: 'queue', name: 'orders.vip', detail: [], messagesAtRisk: 0 },
    {
      change: 'change',
      kind: 'policy',
      name: 'orders',
      detail: ['settings.bytesMax: 1048576 → 2097152'],
      messagesAtRisk: 0,
    },
    {
      change: 'delete',
      kind: 'queue',
      name: 'stock.archive',
      detail: ['it is not in the document'],
      messagesAtRisk: 412,
    },
  ],
}

export const accessAnswers: readonly Answering[] = [
  on(api.listUsers, ({ query }) => pageOf(users, query, ['name'])),
  on(api.putUser, ({ params, body }) => {
    if (typeof body.password === 'string' && body.password.length < 8)
      throw new Refusal({
        code: 'INVALID',
        status: 400,
        title: 'Something in the call is not valid',
        detail: 'The password is too short.',
        field: 'password',
        rule: '8 to 256 characters',
      })
    return { ...users[0]!, name: params['name']!, role: body.role ?? undefined, groups: body.groups ?? [] }
  }),
  on(api.deleteUser, () => undefined as never),
  on(api.listPermissions, () => ({ items: permissions, defaultAccess: 'deny' as const })),
  on(api.putPermission, ({ params, body }) => ({
    id: params['id']!,
    from: 'api' as const,
    ...body,
    allow: body.allow ?? [],
    deny: body.deny ?? [],
  })),
  on(api.deletePermission, () => undefined as never),
  on(api.can, ({ query }) => ({
    allowed: query['user'] !== 'app' || !query['address']!.includes('audit'),
    rule: query['address']!.includes('audit')
      ? 'no-audit: app may not read, browse $queue/audit.>'
      : 'services: group services may read, write, browse $queue/orders.>',
    address: query['address']!.replace('queue://', '$queue/'),
    others: [{ rule: 'config[0]: everyone may read $SYS/#', because: 'it is about other addresses' }],
    notes: [],
  })),
  on(api.resolveAddress, ({ query }) => ({
    ok: true,
    address: '$queue/orders.new',
    kind: 'queue',
    means: "queue 'orders.new'",
    rule: 'STOMP-1',
    ruleText: `'${query['address']}' names a queue by its prefix`,
    exists: true,
    spellings: [
      { protocol: 'mqtt', text: '$queue/orders.new' },
      { protocol: 'stomp', text: '/queue/orders.new' },
      { protocol: 'amqp10', text: 'queue://orders.new' },
      { protocol: 'rest', text: 'queue://orders.new' },
    ],
    notes: ['A message that nobody takes is a dead letter after 10 deliveries.'],
  })),
  on(api.listTokens, () => ({
    items: [
      {
        id: 't-1',
        name: 'deploy',
        user: 'admin',
        scopes: ['read', 'operate'] as const,
        createdAtMs: made.START_MS,
        expiresAtMs: Date.now() + 9e8,
        lastUsedAtMs: Date.now() - 90_000,
      },
      { id: 't-2', name: 'prometheus', user: 'ops', scopes: ['read'] as const, createdAtMs: made.START_MS },
    ],
  })),
  on(api.createToken, ({ body }) => ({
    id: 't-3',
    name: body.name,
    user: 'admin',
    scopes: body.scopes,
    createdAtMs: Date.now(),
    token: 'tmq_made-up-token-that-opens-nothing',
  })),
  on(api.deleteToken, () => undefined as never),
  on(api.listAudit, ({ query }) => ({
    items: Array.from({ length: 50 }, (_, index) => Number(query['before'] ?? 200) - 1 - index)
      .filter((id) => id > 0)
      .map((id) => ({
        id,
        atMs: Date.now() - (200 - id) * 90_000,
        user: ['admin', 'ops'][id % 2]!,
        action: ['queues.purge', 'login', 'users.put', 'messages.act'][id % 4]!,
        target: ['stock.failed', '', 'device', 'DLQ'][id % 4]!,
        outcome: (['done', 'refused', 'done', 'failed'] as const)[id % 4]!,
        detail: [
          'purged 412 messages',
          'the password is wrong',
          'groups: services',
          'retry of 5,000: orders.new is full',
        ][id % 4]!,
        address: '10.0.0.7',
        by: 'cookie' as const,
      })),
  })),
  on(api.listPolicies, () => ({ items: policies })),
  on(api.putPolicy, ({ params, body }) => ({
    id: params['id']!,
    order: 2,
    from: 'api' as const,
    queueCount: 7,
    match: body.match,
    settings: body.settings,
  })),
  on(api.deletePolicy, () => undefined as never),
  on(api.previewPolicy, () => ({
    queueCount: 7,
    queues: ['orders.new', 'orders.paid', 'orders.packed'],
    changes: [{ queue: 'orders.new', key: 'bytesMax', before: 1_073_741_824, after: 2_097_152 }],
  })),
  on(api.exportDefinitions, () => ({
    version: 1 as const,
    policies: [{ id: 'orders', match: 'orders.>', settings: { whenFull: 'block' as const } }],
    queues: [{ name: 'orders.new', settings: { messagesMax: 100_000 } }],
    permissions: [],
    users: [{ name: 'ops', role: 'operator' as const }],
  })),
  on(api.planDefinitions, () => plan),
  on(api.applyDefinitions, () => ({
    done: plan.steps.slice(0, 2),
    failed: { step: plan.steps[2]!, reason: 'stock.archive has a consumer' },
    left: [],
  })),
  on(api.listConfig, ({ query }) => ({
    items: config.filter(
      ({ key, source }) =>
        key.toLowerCase().includes((query['q'] ?? '').toLowerCase()) &&
        (query['changed'] !== 'true' || source !== 'default'),
    ),
  })),
  on(api.changeConfig, ({ body }) => ({ applied: Object.keys(body.changes), afterRestart: [] })),
  on(api.getStore, () => ({
    engine: 'journal' as const,
    durabilities: ['fsync-local', 'page-cache', 'memory'],
    folder: '/var/lib/ternmq/journal',
    diskBytes: 4_800_000_000,
    liveBytes: 3_100_000_000,
    segmentCount: 74,
    freeBytes: 31_000_000_000,
    commits: { count: 812_000, bytes: 4_400_000_000, p50Ms: 0.8, p99Ms: 4.2, maxMs: 61 },
  })),
]
