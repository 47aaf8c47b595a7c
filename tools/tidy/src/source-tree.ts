/** The files of the repository as the rules see them: what git tracks or would track, read once. */
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'

/** Larger files are listed but not read: no source file comes near it. */
const READ_BYTES_MAX = 4_000_000
const GIT_OUTPUT_BYTES_MAX = 64_000_000

export interface SourceFile {
  /** Relative to the root, with `/`. */
  readonly path: string
  /** Content; '' for a binary file. */
  readonly text: string
}

export class SourceTree {
  readonly files: readonly SourceFile[]
  readonly #paths: ReadonlySet<string>

  constructor(files: readonly SourceFile[]) {
    this.files = files
    const paths = new Set<string>()
    for (const { path } of files) {
      for (let at = path; at !== '.' && at !== ''; at = posix.dirname(at)) paths.add(at)
    }
    this.#paths = paths
  }

  /** Whether a file or folder of that path exists. '.' is the root. */
  has(path: string): boolean {
    return path === '.' || this.#paths.has(path)
  }

  read(path: string): string | undefined {
    return this.files.find((file) => file.path === path)?.text
  }
}

/** Reads every file that git tracks, or that is new and not ignored. Throws outside a git checkout. */
export function readTree(root: string): SourceTree {
  // A checkout that belongs to another user (a container) is still ours to read.
  const anyOwner = ['-c', 'safe.directory=*']
  const listed = execFileSync('git', [...anyOwner, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: GIT_OUTPUT_BYTES_MAX,
  })
  const paths = [...new Set(listed.split('\0'))].filter((path) => path !== '').sort()
  return new SourceTree(paths.flatMap((path) => readSource(root, path) ?? []))
}

/** Undefined for a file deleted in the working tree, and for a link to a folder. */
function readSource(root: string, path: string): SourceFile | undefined {
  const stats = statSync(join(root, path), { throwIfNoEntry: false })
  if (stats === undefined || !stats.isFile()) return undefined
  if (stats.size > READ_BYTES_MAX) return { path, text: '' }
  const text = readFileSync(join(root, path), 'utf8')
  return { path, text: text.includes('\0') ? '' : text }
}

/** Source in TypeScript or JavaScript. */
export function isCode(path: string): boolean {
  return /\.(ts|tsx|mts|mjs|js)$/.test(path)
}

/** Pages for browsers: what they import is in the files that are built of them, and nobody who runs those needs it. */
export function isBuiltAhead(path: string): boolean {
  return isCode(path) && /^apps\/[^/]+\/web\//.test(path)
}

/** Code that only runs in tests, benchmarks and fuzzers: the rules about what a broker may do leave it alone. */
export function isTestCode(path: string): boolean {
  const inPackage = path.replace(/^(?:apps|packages|tools)\/[^/]+\//, '') // tools/conformance is no test
  return isCode(path) && (/\.(test|bench|fuzz)\.\w+$/.test(path) || /(^|\/)(test|e2e|conformance)\//.test(inPackage))
}

export function isGenerated(path: string): boolean {
  return /\.generated\.\w+$/.test(path)
}

/** The workspace package a file belongs to: 'packages/core'. Undefined for files of the root and of docs. */
export function packageOf(path: string): string | undefined {
  return /^((?:apps|packages|tools)\/[^/]+)\//.exec(path)?.[1]
}
