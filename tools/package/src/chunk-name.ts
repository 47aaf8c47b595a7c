/** Names of the files in the package: a stack trace with `store-journal.js` in it says where to look, one with `src2.js` does not. */
import { relative, sep } from 'node:path'

const FOLDERS = new Set(['apps', 'packages', 'tools'])
/** They say nothing about what is in there. */
const NAMELESS = new Set(['src', 'index', 'server'])
const CODE = /(?:\.d)?\.ts$/

/** Of the module that a chunk is made for, else of the last one in it: 'store-journal' for packages/store/src/journal/index.ts. */
export function chunkName(root: string, name: string, moduleId: string | undefined): string {
  const [folder = '', pkg = '', ...rest] = relative(root, moduleId ?? '').split(sep)
  if (!FOLDERS.has(folder)) return name
  const words = rest.map((part) => part.replace(CODE, '')).filter((word) => !NAMELESS.has(word) && word !== pkg)
  return [pkg, ...words].join('-')
}
