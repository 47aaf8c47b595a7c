/** A file system of its own with little room: a tmpfs, where this process may mount one. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, type TestContext } from 'vitest'

import { Program } from '../clients/program.ts'

/**
 * The folder it is mounted at, gone after the test; whoever uses it must have ended by then. The test is skipped, with a word to who
 * runs it, on machines where nobody may mount: there the simulated disk of testkit is all that fills up.
 */
export async function smallDisk(context: TestContext, mib: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'ternmq-small-'))
  const mounted = await Program.run('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', folder]).then(
    () => undefined,
    (error: Error) => error.message,
  )
  if (mounted !== undefined) {
    rmSync(folder, { recursive: true })
    const reason = `no small disk: ${mounted}`
    process.stderr.write(`skipped tests: ${reason}\n`)
    context.skip(reason)
  }
  // Hooks run last registered first: a broker that is started later has ended before this.
  onTestFinished(async () => {
    await Program.run('umount', [folder])
    rmSync(folder, { recursive: true })
  })
  return folder
}
