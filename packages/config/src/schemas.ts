/** What other packages make schemas of their own with; apart from the index, because whoever wants settings only needs none of it. */
export { allowedText, type JsonSchema } from './json-schema.ts'
export { nearest } from './nearest.ts'
export { policySettingsSchema } from './sections/queues.ts'
export { typed } from './typed.ts'
