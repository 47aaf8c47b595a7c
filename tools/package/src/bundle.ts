/** Puts our packages into a few files of JavaScript. What is loaded late in the sources is loaded late there, too. */
import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import { build } from 'tsdown'

/** What can be imported or run: by name in the package. */
const ENTRIES = { cli: 'apps/broker/src/cli.ts', index: 'apps/broker/src/index.ts' }

/** Resolves with the names of the packages of others that the files import. */
export async function bundle(root: string, outDir: string): Promise<ReadonlySet<string>> {
  const { bundles } = await build({
    cwd: root,
    config: false,
    entry: Object.fromEntries(Object.entries(ENTRIES).map(([name, file]) => [name, join(root, file)])),
    outDir,
    format: 'esm',
    platform: 'node',
    target: 'node22.18',
    tsconfig: join(root, 'tsconfig.base.json'),
    deps: { alwaysBundle: [/^@ternmq\//], neverBundle: (id) => !id.startsWith('@ternmq/') && /^[@a-z]/.test(id) },
    dts: { oxc: { stripInternal: false } },
    fixedExtension: false,
    hash: true,
    sourcemap: false,
    logLevel: 'warn',
  })
  const names = new Set<string>()
  for (const { chunks } of bundles) {
    for (const chunk of chunks) {
      if (chunk.type !== 'chunk' || chunk.fileName.endsWith('.d.ts')) continue
      for (const id of [...chunk.imports, ...chunk.dynamicImports]) {
        if (id.startsWith('.') || isBuiltin(id) || chunks.some(({ fileName }) => fileName === id)) continue
        names.add(packageOf(id))
      }
    }
  }
  return names
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
