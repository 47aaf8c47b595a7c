/**
 * Every package declares what it imports and imports what it declares; versions stand in the catalog alone; what the
 * broker needs at run time is accounted for in docs/dependencies.md.
 */
import { findImports, packageNameOf } from '../imports.ts'
import { type SourceTree, isBuiltAhead, isCode, isTestCode, packageOf } from '../source-tree.ts'
import { type Violation, lineAt } from '../violation.ts'

const CATALOG_FILE = 'pnpm-workspace.yaml'
const ACCOUNT = 'docs/dependencies.md'
const KINDS = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'] as const

type Declared = Partial<Record<(typeof KINDS)[number], Record<string, string>>>

interface Use {
  readonly path: string
  readonly line: number
  /** It is needed for tests, or for building, and not by the broker. */
  readonly test: boolean
}

export function dependencies(tree: SourceTree): Violation[] {
  const manifests = tree.files.filter(({ path }) => /^(?:(?:apps|packages|tools)\/[^/]+\/)?package\.json$/.test(path))
  const rootDev = declaredIn(tree, 'package.json').devDependencies ?? {}
  return [
    ...manifests.flatMap(({ path, text }) => [...checkVersions(path, text), ...checkAccount(tree, path, text)]),
    ...manifests.flatMap(({ path, text }) => (path === 'package.json' ? [] : checkUses(tree, path, text, rootDev))),
    ...checkCatalog(tree),
  ]
}

function checkUses(tree: SourceTree, manifest: string, text: string, rootDev: Record<string, string>): Violation[] {
  const folder = packageOf(manifest)!
  const { dependencies: runtime = {}, devDependencies: dev = {} } = declaredIn(tree, manifest)
  const uses = usesIn(tree, folder)
  const found: Violation[] = []
  for (const [name, places] of uses) {
    const source = places.find((use) => !use.test)
    if (source !== undefined && !(name in runtime)) {
      found.push(undeclared(source, name, `add it to the dependencies of ${manifest}`))
    } else if (!(name in runtime) && !(name in dev) && !(name in rootDev)) {
      found.push(undeclared(places[0]!, name, `add it to the devDependencies of ${manifest}`))
    }
  }
  // A package without a line of code is announced, not wrong.
  if (!tree.files.some(({ path }) => isCode(path) && packageOf(path) === folder)) return found
  for (const name of Object.keys(runtime)) {
    if (uses.get(name)?.some((use) => !use.test) !== true) found.push(unused(manifest, text, name, 'dependencies'))
  }
  for (const name of Object.keys(dev)) {
    const subject = name.replace(/^@types\//, '')
    if (!uses.has(name) && !uses.has(subject)) found.push(unused(manifest, text, name, 'devDependencies'))
  }
  return found
}

function undeclared({ path, line }: Use, name: string, remedy: string): Violation {
  return { path, line, rule: 'dependency', what: `'${name}' is imported but not declared`, remedy }
}

function unused(manifest: string, text: string, name: string, kind: string): Violation {
  const what = `'${name}' is declared in ${kind} but not imported${kind === 'dependencies' ? ' outside tests' : ''}`
  return {
    path: manifest,
    line: lineOf(text, `"${name}"`),
    rule: 'dependency',
    what,
    remedy: 'remove it, or move it to where it is used',
  }
}

/** Imports of one package's code by the name of what is imported; its own name left out. */
function usesIn(tree: SourceTree, folder: string): Map<string, Use[]> {
  const own = `@ternmq/${folder.split('/')[1]}`
  const uses = new Map<string, Use[]>()
  for (const { path, text } of tree.files) {
    if (!isCode(path) || packageOf(path) !== folder) continue
    for (const { specifier, line } of findImports(text)) {
      const name = packageNameOf(specifier)
      if (name === undefined || name === own) continue
      uses.set(name, [...(uses.get(name) ?? []), { path, line, test: isTestCode(path) || isBuiltAhead(path) }])
    }
  }
  return uses
}

function checkVersions(manifest: string, text: string): Violation[] {
  return KINDS.flatMap((kind) => Object.entries((JSON.parse(text) as Declared)[kind] ?? {})).flatMap(
    ([name, version]) => {
      const wanted = name.startsWith('@ternmq/') ? 'workspace:*' : 'catalog:'
      if (version === wanted) return []
      const remedy = `write "${wanted}"${wanted === 'catalog:' ? ` and the version in ${CATALOG_FILE}` : ''}`
      return [
        {
          path: manifest,
          line: lineOf(text, `"${name}"`),
          rule: 'version',
          what: `'${name}' is at "${version}"`,
          remedy,
        },
      ]
    },
  )
}

function checkAccount(tree: SourceTree, manifest: string, text: string): Violation[] {
  if (!/^(?:apps|packages)\//.test(manifest)) return []
  const account = tree.read(ACCOUNT) ?? ''
  return Object.keys((JSON.parse(text) as Declared).dependencies ?? {})
    .filter((name) => !name.startsWith('@ternmq/') && !account.includes(`\`${name}\``))
    .map((name) => ({
      path: manifest,
      line: lineOf(text, `"${name}"`),
      rule: 'dependency',
      what: `'${name}' is not accounted for`,
      remedy: `add a line with \`${name}\` to ${ACCOUNT}: why, licence, maintainer, how we would replace it`,
    }))
}

/** Every version of the catalog is exact and used by somebody. */
function checkCatalog(tree: SourceTree): Violation[] {
  const text = tree.read(CATALOG_FILE) ?? ''
  const block = /^catalog:\n((?:[ #].*\n|\n)*)/m.exec(text)
  if (block === null) return []
  const used = new Set(
    tree.files
      .filter(({ path }) => /(?:^|\/)package\.json$/.test(path))
      .flatMap(({ path }) => KINDS.flatMap((kind) => Object.keys(declaredIn(tree, path)[kind] ?? {}))),
  )
  const offset = block.index + 'catalog:\n'.length
  return [...block[1]!.matchAll(/^ +'?([^':\n]+)'?: +'?([^'\s#]+)/gm)].flatMap((match) => {
    const [, name, version] = match as unknown as [string, string, string]
    const at = { path: CATALOG_FILE, line: lineAt(text, offset + match.index + 1), rule: 'catalog' }
    if (!/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
      return [{ ...at, what: `'${name}' is at "${version}"`, remedy: 'write one exact version' }]
    return used.has(name) ? [] : [{ ...at, what: `nobody uses '${name}'`, remedy: 'remove it' }]
  })
}

function declaredIn(tree: SourceTree, manifest: string): Declared {
  return JSON.parse(tree.read(manifest) ?? '{}') as Declared
}

function lineOf(text: string, needle: string): number {
  return lineAt(text, Math.max(0, text.indexOf(needle)))
}
