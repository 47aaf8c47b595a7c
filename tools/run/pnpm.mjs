/** npm run pnpm -- ARGUMENT…: the pinned pnpm, for changing dependencies: `npm run pnpm -- install`. */
import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensurePnpm, runPnpm } from './install.mjs'
import { withLock } from './lock.mjs'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const folder = join(root, 'node_modules', '.ternmq')

try {
  mkdirSync(folder, { recursive: true })
  await withLock(join(folder, 'install.lock'), () => {
    ensurePnpm(root)
    runPnpm(root, process.argv.slice(2), 1)
  })
} catch (error) {
  process.stderr.write(`ternmq: ${error.message}\n`)
  process.exitCode = 1
}
