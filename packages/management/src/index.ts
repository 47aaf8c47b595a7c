/** The admin API's side of the broker. */
export * from './errors.ts'
export * from './handlers.ts'
export type * from './managed-broker.ts'
