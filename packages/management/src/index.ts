/** The admin API's side of the broker. */
export * from './errors.ts'
export * from './handlers.ts'
export type * from './managed-broker.ts'
export { nextTurn } from '@ternmq/core'
export { AdminApi } from './admin-api.ts'
export { type AuditEntry, type AuditFile, AuditLog } from './audit/audit.ts'
export { RotatedAuditFile } from './audit/audit-file.ts'
export {
  type DefinitionParts,
  type DefinitionPartsOptions,
  openDefinitionParts,
} from './definitions/definition-parts.ts'
export { DefinitionQueue } from './definitions/definition-queue.ts'
export { type DamagedDefinition, DefinitionStore } from './definitions/definition-store.ts'
export { toQueueDefaults, toQueuePolicies } from './destinations/queue-settings.ts'
export { httpHeaders } from './http-messaging/http-headers.ts'
export { Messaging, messagingHandlers } from './http-messaging/messaging.ts'
export { OperationRecords } from './operations/operation-records.ts'
export { scopesOf } from './access/tokens.ts'
export { isAdministrator, UserAdmin, type UserAdminOptions, type UserChanges, userItem } from './access/users.ts'
export { existenceIn, type Exists, explainAddress } from './destinations/resolve.ts'
