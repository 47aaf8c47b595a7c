/** Puts our packages into a few files of JavaScript. What is loaded late in the sources is loaded late there, too. */
import { isBuiltin } from 'node:module'
import { join, relative } from 'node:path'
import { build } from 'tsdown'

import { chunkName } from './chunk-name.ts'

/** What can be run or imported: by name in the package. */
function entriesOf(root: string): Readonly<Record<'cli' | 'index' | 'testing', string>> {
  return {
    cli: join(root, 'apps/broker/src/cli.ts'),
    index: join(root, 'apps/broker/src/index.ts'),
    testing: join(import.meta.dirname, './testing.ts'),
  }
}

/** Resolves with the names of the packages of others that the files import. */
export async function bundle(root: string, outDir: string): Promise<ReadonlySet<string>> {
  const entry = entriesOf(root)
  const { bundles } = await build({
    cwd: root,
    config: false,
    entry,
    outDir,
    format: 'esm',
    platform: 'node',
    target: 'node22.18',
    tsconfig: join(root, 'tsconfig.base.json'),
    deps: { alwaysBundle: [/^@ternmq\//], neverBundle: (id) => !id.startsWith('@ternmq/') && /^[@a-z]/.test(id) },
    dts: { entry: [entry.index, entry.testing].map((file) => relative(root, file)), oxc: { stripInternal: false } },
    fixedExtension: false,
    hash: false,
    outputOptions: {
      chunkFileNames: ({ name, facadeModuleId, moduleIds }) =>
        `${chunkName(root, name, facadeModuleId ?? moduleIds.at(-1))}.js`,
    },
    sourcemap: false,
    checks: { bundlerTimings: false },
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
