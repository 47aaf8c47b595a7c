/** The admin API's side of the broker. */
export * from './errors.ts'
export * from './handlers.ts'
export type * from './managed-broker.ts'
export { type AuditEntry, type AuditFile, auditHandlers, AuditLog } from './audit.ts'
export { RotatedAuditFile } from './audit-file.ts'
export { DefinitionQueue } from './definition-queue.ts'
export { type DamagedDefinition, DefinitionStore } from './definition-store.ts'
