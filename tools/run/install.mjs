/**
 * Makes the checkout runnable: pnpm at the version package.json pins, the packages of the frozen lock file, and with
 * them the Node 24 binary. Plain JavaScript for the Node 20 of a fresh machine; everything after this runs on Node 24.
 * Costs a few milliseconds when nothing changed. Writes nothing to stdout, which belongs to the command that follows.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { withLock } from './lock.mjs'

/** Files whose change asks for a new install, besides the package.json of every workspace package. */
const ROOT_MANIFESTS = ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml']
const WORKSPACE_FOLDERS = ['apps', 'packages', 'tools', 'examples']

/** Settings of the npm that started us, or of the shell, that would make an install leave packages out. */
const HARMFUL_SETTINGS =
  /^(NODE_ENV|(npm|pnpm)_config_(omit|include|only|production|prod|dev|optional|dry_run|global|prefix|local_prefix|package_lock_only|ignore_scripts))$/i

/** Brings node_modules in line with the lock file. Throws an Error that says what to do when that fails. */
export async function ensureInstalled(root) {
  if (isCurrent(root)) return
  const lockFile = join(toolsFolder(root), 'install.lock')
  mkdirSync(toolsFolder(root), { recursive: true })
  await withLock(lockFile, () => {
    if (isCurrent(root)) return // someone else installed while we waited
    const stamp = stampOf(root)
    rmSync(stampFile(root), { force: true })
    ensurePnpm(root)
    // The lock file was checked when it was made: asking the registry again about every age costs ten seconds.
    runPnpm(root, ['install', '--frozen-lockfile', '--trust-lockfile'])
    if (!existsSync(node24(root))) {
      throw new Error(
        `the install left no ${node24(root)}: the install script of the "node" package did not run or did not finish. ` +
          'Delete node_modules and run the command again.',
      )
    }
    compile(root)
    writeFileSync(stampFile(root), stamp)
  })
}

/** Path of the Node binary that the root devDependency `node` brings. */
export function node24(root) {
  return join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
}

/**
 * This process's environment, with the repository's node, pnpm and tools found first. Node keeps what it compiled: a program
 * whose files it has seen needs no compiler for TypeScript, which is 25 MiB that a broker would never give back. New objects get
 * half the room that Node has for them: a broker under load is 100 MiB smaller, and takes no more time for a message (measured
 * at 16 MiB; at 4 it does). What the caller has set counts.
 */
export function toolEnv(root) {
  const path = [join(root, 'node_modules', '.bin'), pnpmBin(root), process.env.PATH ?? '']
  const cache = process.env.NODE_COMPILE_CACHE ?? join(toolsFolder(root), 'compiled')
  const options = `--max-semi-space-size=16 ${process.env.NODE_OPTIONS ?? ''}`.trimEnd()
  return { ...process.env, PATH: path.join(delimiter), NODE_COMPILE_CACHE: cache, NODE_OPTIONS: options }
}

/** What `ternmq start` loads, and from there only when it comes to it. */
const START_MODULES = [
  'apps/broker/src/commands/start.ts',
  'packages/store/src/journal/index.ts',
  'packages/transport/src/tls/x509.ts',
  'packages/websocket/src/index.ts',
]

/** So that the first broker finds it compiled, too. What could not be compiled says why when a broker is started. */
function compile(root) {
  const imports = START_MODULES.map((file) => `import ${JSON.stringify(pathToFileURL(join(root, file)).href)}`)
  const options = { env: toolEnv(root), stdio: 'ignore' }
  spawnSync(node24(root), [join(root, 'apps/broker/src/cli.ts'), 'version'], options)
  spawnSync(node24(root), ['--input-type=module', '-e', imports.join('\n')], options)
}

/** Runs the pinned pnpm in the root folder, its output on stderr. Throws when it fails. */
export function runPnpm(root, args, stdout = 2) {
  const pnpm = join(pnpmFolder(root), 'node_modules', 'pnpm', 'bin', 'pnpm.mjs')
  run(process.execPath, [pnpm, ...args], { cwd: root, env: installEnv(), stdout })
}

/** Fetches pnpm itself, once per pinned version, through the npm that came with Node. */
export function ensurePnpm(root) {
  const folder = pnpmFolder(root)
  const done = join(folder, 'complete')
  if (existsSync(done)) return
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const npm = npmCommand()
  const args = ['install', '--prefix', folder, '--no-save', '--no-package-lock', '--ignore-scripts', '--loglevel=error']
  const env = installEnv()
  run(npm.file, [...npm.args, ...args, pnpmSpec(root)], { cwd: folder, env, stdout: 2 })
  // pnpm's own install script, started here because npm may be set not to run any: puts the native binary in place.
  run(process.execPath, ['install.js'], { cwd: join(folder, 'node_modules', 'pnpm'), env, stdout: 2 })
  writeFileSync(done, '')
}

/** The caller's environment without the settings that would leave packages out, and with a quiet npm. */
function installEnv() {
  const kept = Object.entries(process.env).filter(([name]) => !HARMFUL_SETTINGS.test(name))
  return {
    ...Object.fromEntries(kept),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
  }
}

function isCurrent(root) {
  if (!existsSync(node24(root)) || !existsSync(stampFile(root))) return false
  return readFileSync(stampFile(root), 'utf8') === stampOf(root)
}

/** Identifies what should be installed: platform and the contents of all manifests. */
export function stampOf(root) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}\n`)
  for (const file of manifests(root))
    hash
      .update(`${file}\n`)
      .update(readFileSync(join(root, file)))
      .update('\n')
  return hash.digest('hex')
}

function manifests(root) {
  const files = [...ROOT_MANIFESTS]
  for (const folder of WORKSPACE_FOLDERS) {
    if (!existsSync(join(root, folder))) continue
    for (const name of readdirSync(join(root, folder)).sort()) {
      const file = `${folder}/${name}/package.json`
      if (existsSync(join(root, file))) files.push(file)
    }
  }
  return files
}

function pnpmSpec(root) {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return packageManager
}

export const toolsFolder = (root) => join(root, 'node_modules', '.ternmq')
const stampFile = (root) => join(toolsFolder(root), 'installed')
const pnpmFolder = (root) => join(toolsFolder(root), pnpmSpec(root).replace('@', '-'))
const pnpmBin = (root) => join(pnpmFolder(root), 'node_modules', '.bin')

/** The npm that started us, otherwise the one found in PATH. */
function npmCommand() {
  const started = process.env.npm_execpath
  if (started !== undefined && started.endsWith('npm-cli.js')) return { file: process.execPath, args: [started] }
  return { file: 'npm', args: [] }
}

function run(file, args, { cwd, env, stdout }) {
  const { status, signal, error } = spawnSync(file, args, { cwd, env, stdio: ['ignore', stdout, 2] })
  if (error !== undefined) throw new Error(`cannot run ${file}: ${error.message}`)
  if (status !== 0) {
    const how = signal === null ? `exit code ${status}` : `signal ${signal}`
    throw new Error(
      `"${[file, ...args].join(' ')}" ended with ${how}; its own words are above. The package registry must be reachable for this.`,
    )
  }
}
