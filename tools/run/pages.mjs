/** Builds the console's pages before a broker is started from the sources, when they have changed since they were built. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { node24, toolEnv, toolsFolder } from './install.mjs'
import { withLock } from './lock.mjs'

const WEB = join('apps', 'console', 'web')
/** What the pages are made of. */
const SOURCES = [
  join(WEB, 'src'),
  join(WEB, 'public'),
  join(WEB, 'index.html'),
  join(WEB, 'vite.config.ts'),
  join('packages', 'api', 'src'),
  'pnpm-lock.yaml',
]

/** Never throws: a broker without its pages still serves clients, and says in their place how they are built. */
export async function ensurePages(root) {
  if (isCurrent(root)) return
  mkdirSync(toolsFolder(root), { recursive: true })
  await withLock(join(toolsFolder(root), 'pages.lock'), () => {
    if (isCurrent(root)) return // someone else built them while we waited
    const stamp = stampOf(root)
    process.stderr.write('ternmq: building the pages of the console\n')
    const built = spawnSync(node24(root), [join(root, WEB, 'build.ts')], {
      env: toolEnv(root),
      stdio: ['ignore', 'ignore', 2],
    })
    if (built.status === 0) writeFileSync(stampFile(root), stamp)
    else process.stderr.write('ternmq: the pages of the console could not be built; the broker starts without them\n')
  })
}

function isCurrent(root) {
  if (!existsSync(stampFile(root)) || !existsSync(join(root, WEB, 'dist', 'index.html'))) return false
  return readFileSync(stampFile(root), 'utf8') === stampOf(root)
}

function stampOf(root) {
  const hash = createHash('sha256')
  for (const source of SOURCES) add(hash, join(root, source), source)
  return hash.digest('hex')
}

function add(hash, path, name) {
  const { mtimeMs, size, isDirectory } = factsOf(path)
  if (!isDirectory) return hash.update(`${name} ${mtimeMs} ${size}\n`)
  for (const entry of readdirSync(path).sort()) add(hash, join(path, entry), join(name, entry))
}

function factsOf(path) {
  const stats = statSync(path)
  return { mtimeMs: stats.mtimeMs, size: stats.size, isDirectory: stats.isDirectory() }
}

function stampFile(root) {
  return join(toolsFolder(root), 'pages.stamp')
}
