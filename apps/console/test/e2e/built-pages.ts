/** The pages as a broker serves them, built when their sources have changed. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const ROOT = join(import.meta.dirname, '..', '..', '..', '..')
const PAGE = join(ROOT, 'apps', 'console', 'web', 'dist', 'index.html')
/** What builds them before `npm start` too. */
const BUILDER = join(ROOT, 'tools', 'run', 'pages.mjs')

let built: Promise<void> | undefined

/** Rejects when they cannot be built. */
export function builtPages(): Promise<void> {
  built ??= build()
  return built
}

async function build(): Promise<void> {
  const { ensurePages } = (await import(pathToFileURL(BUILDER).href)) as { ensurePages(root: string): Promise<void> }
  await ensurePages(ROOT)
  if (!existsSync(PAGE)) throw new Error(`${PAGE} is not there: run apps/console/web/build.ts and look what it says`)
}
