/** What those who check the broker's promises may see of its log: its records, the state they make, and that of a living virtual host. */
export { captureState } from './capture.ts'
export { type LoggedMessage, readMessageMeta } from './message-record.ts'
export { RecordKind, settledRecord } from './records.ts'
export { readLog } from './replay.ts'
export { decodeState, encodeState } from './snapshot.ts'
export { applyRecord, type DurableState, emptyState } from './state.ts'
