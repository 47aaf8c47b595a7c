/** What an operator has defined: policies, definitions as one document, settings; and what the store says of itself. */
import type { VhostParams } from '../page.ts'
import type { None, Route } from '../route.ts'
import type { AccessTurn, PermissionBody, Role, TurnQuery } from './access.ts'
import type { QueueSettingsInput } from './queues.ts'

export interface PolicyItem {
  /** Those of the configuration are called by their place: `config[2]`. */
  readonly id: string
  readonly match: string
  readonly settings: QueueSettingsInput
  /** Later ones win. */
  readonly order: number
  readonly from: 'config' | 'api'
  readonly queueCount: number
}

export interface PolicyBody {
  readonly match: string
  readonly settings: QueueSettingsInput
  /** Its place among those of the API; when left out it stays where it is, and a new one is the last. */
  readonly order?: number | undefined
}

export interface PolicyPreview {
  readonly queueCount: number
  /** The first hundred. */
  readonly queues: readonly string[]
  /** What it would change. */
  readonly changes: ReadonlyArray<{
    readonly queue: string
    readonly key: string
    readonly before: unknown
    readonly after: unknown
  }>
}

/** Everything that was defined through the API or the command line, and nothing that the configuration has. */
export interface Definitions {
  readonly version: 1
  readonly users?:
    | ReadonlyArray<{
        readonly name: string
        readonly role?: Role | undefined
        readonly groups?: readonly string[] | undefined
        /** Hashes, never passwords. Left out, both of them: as they are; a new user then comes with a certificate. */
        readonly verifier?: string | undefined
        readonly scram?: string | undefined
      }>
    | undefined
  readonly permissions?: ReadonlyArray<PermissionBody & { readonly id: string }> | undefined
  readonly policies?: ReadonlyArray<PolicyBody & { readonly id: string }> | undefined
  readonly queues?:
    | ReadonlyArray<{
        readonly name: string
        readonly settings?: QueueSettingsInput | undefined
        readonly paused?: boolean | undefined
      }>
    | undefined
}

/** Sections of a document, in the order in which they are applied. */
export const DEFINITION_SECTIONS: readonly ['users', 'permissions', 'policies', 'queues'] = [
  'users',
  'permissions',
  'policies',
  'queues',
]

export interface ExportQuery {
  /** Sections with commas between them; left out: all. */
  readonly only?: string | undefined
}

export interface PlanStep {
  readonly change: 'create' | 'change' | 'delete'
  readonly kind: 'user' | 'permission' | 'policy' | 'queue'
  readonly name: string
  /** What differs: `settings.bytesMax: 1048576 → 2097152`. */
  readonly detail: readonly string[]
  /** Messages that would go with it. */
  readonly messagesAtRisk: number
}

export interface Plan {
  /** Names the state that it was made for: `apply` with it is refused when something has changed since. */
  readonly id: string
  readonly steps: readonly PlanStep[]
  /** What else comes of it, that steps do not say. */
  readonly warnings: readonly string[]
  /** It changes what holds for everybody: `apply` is to say so. */
  readonly turns?: AccessTurn | undefined
  readonly unchangedCount: number
}

export interface PlanBody {
  readonly definitions: Definitions
  /** What is not in the document goes, in the sections that it has. */
  readonly prune?: boolean | undefined
}

export interface ApplyBody extends PlanBody, TurnQuery {
  readonly plan?: string | undefined
}

export interface Applied {
  readonly done: readonly PlanStep[]
  /** Where it ended, when it did not get through: all before it is done, and the same document can be applied again. */
  readonly failed?: { readonly step: PlanStep; readonly reason: string } | undefined
  readonly left: readonly PlanStep[]
}

export interface ConfigItem {
  /** `mqtt.maxPacketBytes`. */
  readonly key: string
  /** Left out of what is not set, and of what is `hidden`. */
  readonly value?: unknown
  /** What was set here and counts from the next start. */
  readonly valueAfterRestart?: unknown
  readonly defaultValue?: unknown
  /** 'default', 'file /etc/ternmq.yaml:12', 'TERNMQ_…', 'flag --set', 'api'. */
  readonly source: string
  readonly description: string
  readonly allowed: string
  /** When a change counts. */
  readonly reload: 'live' | 'connection' | 'start'
  /** It is set, and not shown: to nobody, or to all but administrators. */
  readonly hidden?: 'secret' | 'administrators' | undefined
}

export interface ConfigChangeBody extends TurnQuery {
  /** By key; null takes back what was set here. */
  readonly changes: Readonly<Record<string, unknown>>
}

export interface ConfigChanged {
  readonly applied: readonly string[]
  /** Kept, and counting from the next start. */
  readonly afterRestart: readonly string[]
}

export interface StoreInfo {
  readonly engine: 'journal' | 'memory'
  readonly durabilities: readonly string[]
  readonly folder: string
  readonly diskBytes: number
  readonly liveBytes: number
  readonly segmentCount: number
  readonly freeBytes?: number | undefined
  readonly commits: {
    readonly count: number
    readonly bytes: number
    readonly p50Ms: number
    readonly p99Ms: number
    readonly maxMs: number
  }
  /** Why no message is taken; left out when all is well. */
  readonly problem?: string | undefined
}

export interface Health {
  readonly status: 'ok' | 'failing'
  readonly checks: ReadonlyArray<{ readonly name: string; readonly ok: boolean; readonly text: string }>
}

export const listPolicies: Route<{
  params: VhostParams
  query: None
  body: None
  answer: { readonly items: readonly PolicyItem[] }
}> = {
  id: 'policies.list',
  method: 'GET',
  path: '/vhosts/{vhost}/policies',
  tag: 'definitions',
  needs: 'read',
  summary: 'What holds for queues by pattern, in the order in which it is laid over one another.',
}

export const putPolicy: Route<{
  params: VhostParams & { readonly id: string }
  query: None
  body: PolicyBody
  answer: PolicyItem
}> = {
  id: 'policies.put',
  method: 'PUT',
  path: '/vhosts/{vhost}/policies/{id}',
  tag: 'definitions',
  needs: 'admin',
  summary: 'Makes or changes a policy; queues take it at once.',
}

export const deletePolicy: Route<{
  params: VhostParams & { readonly id: string }
  query: None
  body: None
  answer: None
}> = {
  id: 'policies.delete',
  method: 'DELETE',
  path: '/vhosts/{vhost}/policies/{id}',
  tag: 'definitions',
  needs: 'admin',
  summary: 'Takes a policy back.',
  status: 204,
}

export const previewPolicy: Route<{
  params: VhostParams
  query: None
  body: PolicyBody & { readonly id?: string | undefined }
  answer: PolicyPreview
}> = {
  id: 'policies.preview',
  method: 'POST',
  path: '/vhosts/{vhost}/policy-preview',
  tag: 'definitions',
  needs: 'read',
  summary: 'Which queues a policy would reach and what it would change, before it is saved.',
}

export const exportDefinitions: Route<{ params: VhostParams; query: ExportQuery; body: None; answer: Definitions }> = {
  id: 'definitions.export',
  method: 'GET',
  path: '/vhosts/{vhost}/definitions',
  tag: 'definitions',
  needs: 'admin',
  summary: 'All definitions as one document, or some sections of it.',
}

export const planDefinitions: Route<{ params: VhostParams; query: None; body: PlanBody; answer: Plan }> = {
  id: 'definitions.plan',
  method: 'POST',
  path: '/vhosts/{vhost}/definitions/plan',
  tag: 'definitions',
  needs: 'admin',
  summary: 'What applying a document would create, change and delete, and how many messages would go.',
}

export const applyDefinitions: Route<{ params: VhostParams; query: None; body: ApplyBody; answer: Applied }> = {
  id: 'definitions.apply',
  method: 'POST',
  path: '/vhosts/{vhost}/definitions/apply',
  tag: 'definitions',
  needs: 'admin',
  summary: 'Makes it so. A plan that `turns` what holds for everybody needs that as `everybody`.',
}

export const listConfig: Route<{
  params: None
  query: { readonly q?: string | undefined; readonly changed?: boolean | undefined }
  body: None
  answer: { readonly items: readonly ConfigItem[] }
}> = {
  id: 'config.list',
  method: 'GET',
  path: '/config',
  tag: 'settings',
  needs: 'read',
  summary: 'Every setting: value, where it is from, what it means, when a change counts.',
}

export const changeConfig: Route<{ params: None; query: None; body: ConfigChangeBody; answer: ConfigChanged }> = {
  id: 'config.change',
  method: 'PATCH',
  path: '/config',
  tag: 'settings',
  needs: 'admin',
  summary:
    'Changes settings where they can be changed while the broker runs; all of them or none. Rules or a default that turn what holds for everybody need that as `everybody`.',
}

export const getStore: Route<{ params: None; query: None; body: None; answer: StoreInfo }> = {
  id: 'store.get',
  method: 'GET',
  path: '/store',
  tag: 'settings',
  needs: 'read',
  summary: 'What is on disk, and how long commits take.',
}

export const getLive: Route<{ params: None; query: None; body: None; answer: Health }> = {
  id: 'health.live',
  method: 'GET',
  path: '/health/live',
  tag: 'health',
  needs: 'nobody',
  summary: 'Whether the process does its work; 503 when it should be started anew. Also at `/health/live`.',
}

export const getReady: Route<{ params: None; query: None; body: None; answer: Health }> = {
  id: 'health.ready',
  method: 'GET',
  path: '/health/ready',
  tag: 'health',
  needs: 'nobody',
  summary: 'Whether clients can publish and receive; 503 when not. Also at `/health/ready`.',
}
