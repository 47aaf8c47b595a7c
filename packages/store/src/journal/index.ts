/** The engine on a local disk, for whoever opens it; loaded only where there is one. */
export { faultText, type JournalFault, OpenRefused, type OpenRefusedReason } from './recovery/faults.ts'
export { JournalEngine, type JournalOptions, type JournalStats, openJournal } from './journal-engine.ts'
export { COMMIT_TIME_BOUNDS_MS } from './store-counts.ts'
export { backupStore, type CopyReport, restoreStore } from './backup.ts'
export {
  inspectStore,
  type PartitionReport,
  type SegmentReport,
  type StoreReport,
  type VerifyReport,
  verifyStore,
} from './inspect.ts'
