/** Imports that go against the arrows of layers.ts, and relative imports that leave their package. */
import { posix } from 'node:path'
import { findImports, packageNameOf } from '../imports.ts'
import { ADAPTERS, LAYERS, type Layer, TEST_IMPORTS } from '../layers.ts'
import { type SourceFile, type SourceTree, isCode, isTestCode, packageOf } from '../source-tree.ts'
import type { Violation } from '../violation.ts'

const SCOPE = '@ternmq/'

export function arrows(tree: SourceTree): Violation[] {
  return tree.files.flatMap((file) => {
    const folder = packageOf(file.path)
    return folder !== undefined && isCode(file.path) ? checkFile(file, folder) : []
  })
}

function checkFile(file: SourceFile, folder: string): Violation[] {
  const [place, name] = folder.split('/') as [string, string]
  const layer = LAYERS[name]
  const found: Violation[] = []
  const report = (line: number, what: string, remedy: string): void => {
    found.push({ path: file.path, line, rule: 'arrow', what, remedy })
  }
  if (place === 'packages' && layer === undefined) {
    report(1, `${folder} has no layer`, 'add it to tools/tidy/src/layers.ts with what it may import')
    return found
  }
  for (const { specifier, line, typeOnly } of findImports(file.text)) {
    if (specifier.startsWith('.')) {
      const target = posix.join(posix.dirname(file.path), specifier)
      if (!target.startsWith(`${folder}/`))
        report(line, `'${specifier}' leaves ${folder}`, `import it by the name of its package, ${SCOPE}…`)
    } else if (place === 'packages' && layer !== undefined) {
      const refusal = refuse(layer, name, specifier, typeOnly, isTestCode(file.path))
      if (refusal !== undefined) report(line, ...refusal)
    }
  }
  return found
}

/** What is wrong with the import, and the remedy; undefined when it is allowed. */
function refuse(
  layer: Layer,
  name: string,
  specifier: string,
  typeOnly: boolean,
  test: boolean,
): [string, string] | undefined {
  if (specifier.startsWith(SCOPE))
    return refuseWorkspace(layer, name, specifier.slice(SCOPE.length).split('/')[0]!, typeOnly, test)
  if (test) return undefined
  const fromNode = packageNameOf(specifier) === undefined
  if (layer.closed === true || (layer.noPackages === true && !fromNode)) {
    return [
      `${name} imports '${specifier}'`,
      'take it through an interface that the caller fills in (Env, Transport, engine)',
    ]
  }
  return undefined
}

function refuseWorkspace(
  layer: Layer,
  name: string,
  target: string,
  typeOnly: boolean,
  test: boolean,
): [string, string] | undefined {
  if (target === name) return [`${name} imports itself by name`, 'use a relative import']
  if (!test && layer.typesOnly?.includes(target) === true && !typeOnly) {
    return [`${name} imports values of ${target}`, 'use import type: only its interfaces may be known here']
  }
  if (layer.imports.includes(target) || (test && TEST_IMPORTS.includes(target))) return undefined
  if (ADAPTERS.includes(name) && ADAPTERS.includes(target)) {
    return [
      `${name} imports the adapter ${target}`,
      'adapters never know one another: move what both need to core or testkit',
    ]
  }
  return [
    `${name} imports ${target}, against the arrows`,
    'turn the dependency round with an interface, or change tools/tidy/src/layers.ts by ADR',
  ]
}
