/** Schemas of policies, definitions, settings, the store and health. */
import { typed } from '@ternmq/config/schemas'
import { z } from 'zod'
import type { VhostParams } from '../page.ts'
import {
  type Applied,
  type ApplyBody,
  applyDefinitions,
  changeConfig,
  type ConfigChangeBody,
  type ConfigChanged,
  type ConfigItem,
  type Definitions,
  deletePolicy,
  exportDefinitions,
  type ExportQuery,
  getLive,
  getReady,
  getStore,
  type Health,
  listConfig,
  listPolicies,
  type Plan,
  type PlanBody,
  planDefinitions,
  type PlanStep,
  type PolicyBody,
  type PolicyItem,
  type PolicyPreview,
  previewPolicy,
  putPolicy,
  type StoreInfo,
} from '../resources/definitions.ts'
import { groups, permissionBodyFields, role, turn } from './access.ts'
import {
  ADDRESS_CHARS_MAX,
  amount,
  choice,
  component,
  count,
  flag,
  list,
  listOf,
  name,
  schemasFor,
  type SchemaEntry,
  search,
  secret,
  type Shape,
  text,
  vhost,
  whole,
} from './fields.ts'
import { queueSettings } from './queues.ts'

/** Entries of one section of a definitions document. */
const DEFINITIONS_MAX = 100_000
/** Settings of one change. */
const CHANGES_MAX = 500
/** Lists and objects within one another in the value of a setting; the deepest are rules, in a list, with lists. Deeper ones are refused. */
const SETTING_DEPTH_MAX = 8

function isAtMostDeep(value: unknown, levelsLeft: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return levelsLeft > 0 && Object.values(value).every((part) => isAtMostDeep(part, levelsLeft - 1))
}

const policy = component(
  'Policy',
  typed<PolicyItem>()(
    z.strictObject({
      id: text('Id; those of the configuration are called by their place.', 'big-queues'),
      match: text('Which queues.', 'orders.>'),
      settings: queueSettings,
      order: count('Later ones win.', 1),
      from: choice(['config', 'api'], 'Those of the configuration are changed there.', 'api'),
      queueCount: count('Queues that it matches.', 4),
    }),
  ),
)

const policyFields: Shape<PolicyBody> = {
  match: name('Which queues: `*` for one level, `>` at the end for all below.', 'orders.>', ADDRESS_CHARS_MAX),
  settings: queueSettings,
  order: count('Its place among those of the API; the last when left out.', 1, DEFINITIONS_MAX).optional(),
}

const policyId = name('Id of the policy.', 'big-queues')

const policyPreview = component(
  'PolicyPreview',
  typed<PolicyPreview>()(
    z.strictObject({
      queueCount: count('Queues that it would reach.', 4),
      queues: list(text('Queue.', 'orders.eu'), 'The first hundred of them.'),
      changes: list(
        z.strictObject({
          queue: text('Queue.', 'orders.eu'),
          key: text('Key.', 'messagesMax'),
          before: z.unknown().meta({ description: 'As it is.', examples: [100_000_000] }),
          after: z.unknown().meta({ description: 'As it would be.', examples: [10_000] }),
        }),
        'What it would change.',
      ),
    }),
  ),
)

const definitions = component(
  'Definitions',
  typed<Definitions>()(
    z.strictObject({
      version: z.literal(1).meta({ description: 'Version of the format.' }),
      users: listOf(
        z.strictObject({
          name: name('Name.', 'ann'),
          role: role.optional(),
          groups: groups.optional(),
          verifier: secret('Hash of the password.', '$scrypt$ln=14,r=8,p=1$c2FsdA$aGFzaA').optional(),
          scram: secret('What SCRAM needs.', 'SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy').optional(),
        }),
        'Users.',
        DEFINITIONS_MAX,
      ).optional(),
      permissions: listOf(
        z
          .strictObject({ id: name('Id.', 'devices-publish'), ...permissionBodyFields })
          .meta({ examples: [{ id: 'devices-publish', group: 'devices', allow: ['write'], topics: ['plant/%u/#'] }] }),
        'Permissions.',
        DEFINITIONS_MAX,
      ).optional(),
      policies: listOf(z.strictObject({ id: policyId, ...policyFields }), 'Policies.', DEFINITIONS_MAX).optional(),
      queues: listOf(
        z.strictObject({
          name: name('Name.', 'orders', ADDRESS_CHARS_MAX),
          settings: queueSettings.optional(),
          paused: flag('Whether nothing is handed out.', false).optional(),
        }),
        'Queues.',
        DEFINITIONS_MAX,
      ).optional(),
    }),
  ),
)

const step = component(
  'PlanStep',
  typed<PlanStep>()(
    z.strictObject({
      change: choice(['create', 'change', 'delete'], 'What is done.'),
      kind: choice(['user', 'permission', 'policy', 'queue'], 'What it is done to.', 'queue'),
      name: text('Its name.', 'orders'),
      detail: list(text('What differs.', 'settings.bytesMax: 1048576 → 2097152'), 'What differs.'),
      messagesAtRisk: count('Messages that would go with it.', 0),
    }),
  ),
)

const plan = component(
  'Plan',
  typed<Plan>()(
    z.strictObject({
      id: text('Names the state that it was made for.', '8f14e45f'),
      steps: list(step, 'What would be done, in this order.'),
      warnings: list(
        text(
          'What comes of it.',
          'with the first permission, what no permission allows is denied, to those who are connected too; until now everybody may do everything',
        ),
        'What else comes of it, that steps do not say.',
      ),
      turns: turn.optional(),
      unchangedCount: count('Definitions that are so already.', 12),
    }),
  ),
)

const planFields: Shape<PlanBody> = {
  definitions,
  prune: flag('Whether what is not in the document goes, in the sections that it has.', false).optional(),
}

const applied = component(
  'Applied',
  typed<Applied>()(
    z.strictObject({
      done: list(step, 'What was done.'),
      failed: z
        .strictObject({ step, reason: text('Why.', "queue 'orders' is read from") })
        .meta({ description: 'Where it ended, when it did not get through.' })
        .optional(),
      left: list(step, 'What was not tried.'),
    }),
  ),
)

const setting = component(
  'Setting',
  typed<ConfigItem>()(
    z.strictObject({
      key: text('Key.', 'mqtt.maxPacketBytes'),
      value: z
        .unknown()
        .meta({ description: 'Left out of what is not set, and of what is hidden.', examples: [1_048_576] })
        .optional(),
      valueAfterRestart: z
        .unknown()
        .meta({ description: 'What counts from the next start.', examples: [2_097_152] })
        .optional(),
      defaultValue: z
        .unknown()
        .meta({ description: 'Default.', examples: [1_048_576] })
        .optional(),
      source: text('Where the value is from.', 'file ternmq.yaml:12'),
      description: text('What it means.', 'Largest packet accepted, in bytes.'),
      allowed: text('What it may be.', 'a whole number from 1024 to 268435460'),
      reload: choice(['live', 'connection', 'start'], 'When a change counts.'),
      hidden: choice(['secret', 'administrators'], 'Set, and shown to nobody, or to administrators only.').optional(),
    }),
  ),
)

const configChange = component(
  'SettingsChange',
  typed<ConfigChangeBody>()(
    z.strictObject({
      changes: z
        .record(z.string().max(ADDRESS_CHARS_MAX), z.unknown())
        .refine((changes) => Object.keys(changes).length <= CHANGES_MAX)
        .refine((changes) => isAtMostDeep(changes, 1 + SETTING_DEPTH_MAX))
        .meta({
          description: 'By key; `null` takes back what was set here.',
          examples: [{ 'log.level': 'debug' }],
          allowed: `up to ${CHANGES_MAX} settings by key, with values of lists and objects up to ${SETTING_DEPTH_MAX} within one another`,
        }),
      everybody: turn.optional(),
    }),
  ),
)

const configChanged = component(
  'SettingsChanged',
  typed<ConfigChanged>()(
    z.strictObject({
      applied: list(text('Key.', 'log.level'), 'What counts now.'),
      afterRestart: list(text('Key.', 'store.segmentBytes'), 'What counts from the next start.'),
    }),
  ),
)

const store = component(
  'Store',
  typed<StoreInfo>()(
    z.strictObject({
      engine: choice(['journal', 'memory'], 'Where messages are kept.'),
      durabilities: list(text('Durability.', 'fsync-local'), 'What queues can have.'),
      folder: text('Folder; empty without one.', '/var/lib/ternmq'),
      diskBytes: count('Bytes on disk.', 67_108_864),
      liveBytes: count('Bytes of them that are still needed.', 1_048_576),
      segmentCount: count('Files.', 2),
      freeBytes: count('Free bytes of the disk.', 42_949_672_960).optional(),
      commits: z
        .strictObject({
          count: count('Commits.', 5_120),
          bytes: count('Bytes committed.', 33_554_432),
          p50Ms: amount('How long one takes, median.', 1.2),
          p99Ms: amount('How long one takes, 99 of 100 are not longer.', 6.5),
          maxMs: amount('How long the longest took.', 41),
        })
        .meta({ description: 'Commits since the start.' }),
      problem: text('Why no message is taken; left out when all is well.', 'the disk is full').optional(),
    }),
  ),
)

const health = component(
  'Health',
  typed<Health>()(
    z.strictObject({
      status: choice(['ok', 'failing'], 'Whether all is well.'),
      checks: list(
        z.strictObject({
          name: text('What was looked at.', 'store'),
          ok: flag('Whether it is well.'),
          text: text('What was found.', 'the last commit took 1.2 ms'),
        }),
        'What was looked at.',
      ),
    }),
  ),
)

const vhostParams = typed<VhostParams>()(z.strictObject(vhost()))
const policyParams = z.strictObject({ ...vhost(), id: policyId })

export const definitionSchemas: readonly SchemaEntry[] = [
  schemasFor(listPolicies, { params: vhostParams, answer: whole(policy) }),
  schemasFor(putPolicy, {
    params: policyParams,
    body: component('PolicyChange', typed<PolicyBody>()(z.strictObject(policyFields))),
    answer: policy,
  }),
  schemasFor(deletePolicy, { params: policyParams }),
  schemasFor(previewPolicy, {
    params: vhostParams,
    body: typed<PolicyBody & { readonly id?: string | undefined }>()(
      z.strictObject({ ...policyFields, id: policyId.optional() }),
    ),
    answer: policyPreview,
  }),
  schemasFor(exportDefinitions, {
    params: vhostParams,
    query: typed<ExportQuery>()(
      z.strictObject({
        only: text('Sections with commas between them; all without it.', 'queues,policies').optional(),
      }),
    ),
    answer: definitions,
  }),
  schemasFor(planDefinitions, {
    params: vhostParams,
    body: typed<PlanBody>()(z.strictObject(planFields)),
    answer: plan,
  }),
  schemasFor(applyDefinitions, {
    params: vhostParams,
    body: typed<ApplyBody>()(
      z.strictObject({
        ...planFields,
        plan: text(
          '`id` of a plan: refused when something has changed since.',
          '8f14e45f',
          ADDRESS_CHARS_MAX,
        ).optional(),
        everybody: turn.optional(),
      }),
    ),
    answer: applied,
  }),
  schemasFor(listConfig, {
    query: z.strictObject({
      q: search(),
      changed: flag('Only those that are not at their default.').optional(),
    }),
    answer: whole(setting),
  }),
  schemasFor(changeConfig, { body: configChange, answer: configChanged }),
  schemasFor(getStore, { answer: store }),
  schemasFor(getLive, { answer: health }),
  schemasFor(getReady, { answer: health }),
]
