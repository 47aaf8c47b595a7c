/** Tells whoever waits that the broker is ready, and where: a file that is there complete or not at all. */
import type { BoundAddress } from '@ternmq/transport'
import { renameSync, rmSync, writeFileSync } from 'node:fs'

/** An old file must not be taken for ours. */
export function removeReadyFile(file: string): void {
  rmSync(file, { force: true })
}

export function writeReadyFile(file: string, listeners: Readonly<Partial<Record<string, BoundAddress>>>): void {
  const next = `${file}.${process.pid}.next`
  writeFileSync(next, `${JSON.stringify({ pid: process.pid, listeners })}\n`)
  renameSync(next, file)
}
