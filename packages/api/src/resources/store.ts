/** What is in the journal of a broker that runs, and copies of it. */
import type { None, Route } from '../route.ts'

export interface StoreSegment {
  /** Below the folder of the journal. */
  readonly file: string
  readonly bytes: number
  /** Numbers of records. */
  readonly firstLsn: number
  readonly lastLsn: number
  readonly compacted: boolean
  /** Those that are still needed. */
  readonly liveRecords: number
  readonly liveBytes: number
}

export interface StorePartition {
  readonly id: number
  readonly segments: readonly StoreSegment[]
  readonly snapshot?: { readonly file: string; readonly at: number; readonly bytes: number } | undefined
  /** The highest in use. */
  readonly lastLsn: number
}

export interface StoreFault {
  readonly file: string
  /** Byte of the file where it begins. */
  readonly offset: number
  readonly what: string
  readonly partition?: number | undefined
  /** Records that are lost have numbers between these two, both excluded. */
  readonly lost?: { readonly after: number; readonly before?: number | undefined } | undefined
}

export interface StoreReport {
  readonly formatVersion: number
  readonly diskBytes: number
  /** Of writes that were not finished; the next start cuts them off. */
  readonly tornBytes: number
  readonly partitions: readonly StorePartition[]
  readonly catalogKeys: number
  readonly faults: readonly StoreFault[]
}

export interface BackupBody {
  /** Absolute path on the machine of the broker; new, or empty. */
  readonly folder: string
}

export interface BackupMade {
  readonly files: number
  readonly bytes: number
}

export const getStoreReport: Route<{ params: None; query: None; body: None; answer: StoreReport }> = {
  id: 'store.report',
  method: 'GET',
  path: '/store/report',
  tag: 'settings',
  needs: 'read',
  summary: 'The files of the journal, what they cover and how much of them is still needed.',
}

export const backupStore: Route<{ params: None; query: None; body: BackupBody; answer: BackupMade }> = {
  id: 'store.backup',
  method: 'POST',
  path: '/store/backup',
  tag: 'settings',
  needs: 'admin',
  summary: 'Makes a consistent copy of the journal in a folder of the broker, while all goes on.',
  detail: 'Only over the socket in the data directory: it writes where the broker runs. Answers when the copy is done.',
}
