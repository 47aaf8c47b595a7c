/**
 * `npm run -s package`: builds the `ternmq` package that people install, and packs it: build/ternmq/ and build/ternmq-VERSION.tgz. Our own
 * packages become a few files of JavaScript with types; those of others stay dependencies, at the versions that are tested here.
 */
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle } from './bundle.ts'
import { manifestOf } from './manifest.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..')
const OUT = join(ROOT, 'build', 'ternmq')
const PAGES = join(ROOT, 'apps', 'console', 'web', 'dist')
/** Shipped as they are. */
const FILES = ['LICENSE', 'README.md']

rmSync(OUT, { recursive: true, force: true })
mkdirSync(OUT, { recursive: true })
const imported = await bundle(ROOT, join(OUT, 'dist'))
for (const file of FILES) if (existsSync(join(ROOT, file))) cpSync(join(ROOT, file), join(OUT, file))
execFileSync(process.execPath, [join(ROOT, 'apps', 'console', 'web', 'build.ts')], { stdio: 'inherit' })
cpSync(PAGES, join(OUT, 'web', 'dist'), { recursive: true })
const workspace = readFileSync(join(ROOT, 'pnpm-workspace.yaml'), 'utf8')
const broker = readFileSync(join(ROOT, 'apps', 'broker', 'package.json'), 'utf8')
writeFileSync(join(OUT, 'package.json'), `${JSON.stringify(manifestOf(broker, workspace, imported), null, 2)}\n`)
const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', join(ROOT, 'build')], {
  cwd: OUT,
  encoding: 'utf8',
})
process.stdout.write(`${join('build', packed.trim())}\n`)
