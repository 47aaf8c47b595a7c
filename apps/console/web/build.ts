/** Builds the pages into dist/ and says how large they are: `node apps/console/web/build.ts`, or into another folder that is named. */
import { readFile, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'

/** The page that names it is index.html; the manifest calls the entry by that name. */
const ENTRY = 'index.html'
const START = './src/main.tsx'

/** Script of the first view, compressed. */
export const FIRST_VIEW_BYTES_MAX: number = 250 * 1_024

interface Chunk {
  readonly file: string
  readonly imports?: readonly string[]
  readonly dynamicImports?: readonly string[]
}

export type Manifest = Readonly<Record<string, Chunk>>

export interface Sizes {
  /** Files of script that the entry and the overview load before something is seen, with their compressed bytes. */
  readonly firstView: ReadonlyMap<string, number>
  readonly firstViewBytes: number
}

/** Into `outDir`, in one piece: a server that has it open sees the old pages or the new ones. Rejects when they cannot be built. */
export async function buildPages(outDir: string): Promise<void> {
  // Vite takes over what a shell or a test runner says here, and would build for development.
  process.env['NODE_ENV'] = 'production'
  const [made, old] = [`${outDir}-${process.pid}-new`, `${outDir}-${process.pid}-old`]
  try {
    await build({
      configFile: fileURLToPath(new URL('./vite.config.ts', import.meta.url)),
      logLevel: 'warn',
      build: { outDir: made },
    })
    await rename(outDir, old).catch(() => undefined) // the first time there is none
    await rename(made, outDir)
  } finally {
    for (const folder of [made, old]) await rm(folder, { recursive: true, force: true })
  }
}

/** Sizes of what was built into `outDir`. */
export async function measurePages(outDir: string): Promise<Sizes> {
  const manifest = JSON.parse(await readFile(join(outDir, 'manifest.json'), 'utf8')) as Manifest
  const files = new Set([...scriptsOf(manifest, ENTRY), ...scriptsOf(manifest, 'src/routes/overview.tsx')])
  const firstView = new Map<string, number>()
  for (const file of files) firstView.set(file, gzipSync(await readFile(join(outDir, file))).length)
  return { firstView, firstViewBytes: [...firstView.values()].reduce((sum, bytes) => sum + bytes, 0) }
}

/** The script of a chunk and of all that it imports at once. Throws RangeError for a chunk that the manifest does not have. */
export function scriptsOf(manifest: Manifest, name: string, seen: Set<string> = new Set()): Set<string> {
  const chunk = manifest[name]
  if (chunk === undefined)
    throw new RangeError(`manifest.json has no chunk '${name}'; ${START} or its routes were renamed`)
  if (seen.has(chunk.file)) return seen
  seen.add(chunk.file)
  for (const each of chunk.imports ?? []) scriptsOf(manifest, each, seen)
  return seen
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const outDir = resolve(process.argv[2] ?? join(import.meta.dirname, 'dist'))
  await buildPages(outDir)
  const { firstView, firstViewBytes } = await measurePages(outDir)
  const kib = (bytes: number): string => `${(bytes / 1_024).toFixed(1).padStart(7)} KiB`
  for (const [file, bytes] of firstView) process.stdout.write(`${kib(bytes)}  ${file}\n`)
  process.stdout.write(
    `${kib(firstViewBytes)}  compressed script of the first view, of ${FIRST_VIEW_BYTES_MAX / 1_024} KiB\n`,
  )
  if (firstViewBytes > FIRST_VIEW_BYTES_MAX) process.exitCode = 1
}
