/** Everything that the package has in it, in a folder, and then in one file. */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle } from './bundle.ts'
import { manifestOf } from './manifest.ts'

export interface Packed {
  readonly file: string
  readonly sizeBytes: number
  readonly unpackedBytes: number
  readonly fileCount: number
}

/** What `npm pack --json` says. */
interface NpmPacked {
  readonly filename: string
  readonly size: number
  readonly unpackedSize: number
  readonly entryCount: number
}

/** Makes `outDir`/ternmq and packs it beside. Rejects when something cannot be built. */
export async function makePackage(root: string, outDir: string): Promise<Packed> {
  const folder = join(outDir, 'ternmq')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const imported = await bundle(root, join(folder, 'dist'))
  buildPages(root, folder)
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  cpSync(join(root, 'tools', 'package', 'README.md'), join(folder, 'README.md'))
  const workspace = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8')
  const broker = readFileSync(join(root, 'apps', 'broker', 'package.json'), 'utf8')
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifestOf(broker, workspace, imported), null, 2)}\n`)
  return pack(folder, outDir)
}

/** Where PAGES_DIR of @ternmq/console looks from dist/, without what only the build needs. */
function buildPages(root: string, folder: string): void {
  const pages = join(folder, 'web', 'dist')
  const build = join(root, 'apps', 'console', 'web', 'build.ts')
  execFileSync(process.execPath, [build, pages], { stdio: ['ignore', 'ignore', 'inherit'] })
  rmSync(join(pages, 'manifest.json'))
  renameSync(join(pages, 'licenses.md'), join(folder, 'web', 'LICENSES.md'))
}

function pack(folder: string, outDir: string): Packed {
  const said = execFileSync('npm', ['pack', '--json', '--pack-destination', outDir], { cwd: folder, encoding: 'utf8' })
  const [packed] = JSON.parse(said) as readonly NpmPacked[]
  if (packed === undefined) throw new Error(`npm packed nothing: ${said}`)
  const { filename, size, unpackedSize, entryCount } = packed
  return { file: join(outDir, filename), sizeBytes: size, unpackedBytes: unpackedSize, fileCount: entryCount }
}
