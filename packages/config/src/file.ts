/**
 * Reads a configuration file: YAML 1.2, of which JSON is a part. Keeps line and column of every value.
 * A file is at most `FILE_BYTES_MAX` long, with what its aliases stand for too.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { isMap, isSeq, type Node } from 'yaml'
import { decodeText, TextFault } from './document-text.ts'
import { type Given, notASection, placeOf } from './given.ts'
import type { Problems } from './problems.ts'
import { type Section, sections } from './settings.ts'
import { YamlText } from './yaml-text.ts'

/** Beyond it the file is refused: the largest sensible one, ten thousand access rules, is smaller. */
export const FILE_BYTES_MAX = 1_048_576

/** What the file at `path` gives; sentences call it `file`. Everything that is wrong with it is in `problems` afterwards. */
export function givenByFile(file: string, path: string, problems: Problems): Given[] {
  try {
    const text = readText(file, path, problems)
    return text === undefined ? [] : new ConfigFile(file, new YamlText(text, FILE_BYTES_MAX), problems).read()
  } catch (error) {
    if (!(error instanceof TextFault)) throw error
    problems.add(() => `${file}:${error.line}:${error.column}: ${error.reason}`)
    return []
  }
}

/** Throws TextFault. */
function readText(file: string, path: string, problems: Problems): string | undefined {
  let bytes
  try {
    // Opening a pipe would wait for a writer; a directory would fail with words that help nobody.
    if (!statSync(path).isFile()) {
      problems.add(() => `${file}: is not a file`)
      return undefined
    }
    bytes = readBytes(path)
  } catch (error) {
    problems.add(() => `${file}: ${readingFailed(error)}`)
    return undefined
  }
  if (bytes.length > FILE_BYTES_MAX) {
    problems.add(() => `${file}: has more than ${FILE_BYTES_MAX} bytes, which is the longest a configuration may be`)
    return undefined
  }
  return decodeText(bytes)
}

/** At most one byte more than allowed, whatever the file's length is by now. */
function readBytes(path: string): Uint8Array {
  const buffer = Buffer.alloc(FILE_BYTES_MAX + 1)
  const fd = openSync(path, 'r')
  try {
    let end = 0
    for (;;) {
      const count = readSync(fd, buffer, end, buffer.length - end, null)
      if (count === 0) return buffer.subarray(0, end)
      end += count
    }
  } finally {
    closeSync(fd)
  }
}

function readingFailed(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'does not exist'
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`
}

class ConfigFile {
  readonly #file: string
  readonly #yaml: YamlText
  readonly #problems: Problems
  readonly #given: Given[] = []

  constructor(file: string, yaml: YamlText, problems: Problems) {
    this.#file = file
    this.#yaml = yaml
    this.#problems = problems
  }

  read(): Given[] {
    const root = sections.get('')
    if (root !== undefined) this.#readSection(root, this.#yaml.root, `${this.#file}:1:1`)
    return this.#given
  }

  #readSection(section: Section, node: Node | undefined, where: string): void {
    if (node === undefined) return // 'mqtt:' with nothing below it, all commented out
    if (!isMap(node)) {
      this.#problems.add(() => `${where}: ${notASection(section, this.#yaml.plain(node))}`)
      return
    }
    for (const [name, valueNode, nameNode] of this.#yaml.pairs(node)) {
      const nameWhere = this.#whereIs(nameNode)
      const place = placeOf(section.key, name, nameWhere, this.#problems)
      const valueWhere = valueNode === undefined ? nameWhere : this.#whereIs(valueNode)
      if (place.kind === 'section') this.#readSection(place.section, valueNode, valueWhere)
      if (place.kind !== 'setting') continue
      this.#given.push({
        setting: place.setting,
        value: this.#yaml.plain(valueNode),
        source: { kind: 'file', text: `file ${valueWhere}` },
        where: (path) => this.#whereWithin(valueNode, path, valueWhere),
      })
    }
  }

  #whereWithin(node: Node | undefined, path: ReadonlyArray<PropertyKey>, outer: string): string {
    const [step, ...rest] = path
    if (step === undefined || node === undefined) return outer
    const child = isMap(node) || isSeq(node) ? (node.get(step, true) as Node | undefined) : undefined
    if (child === undefined || child === null) return outer
    return this.#whereWithin(this.#yaml.resolve(child), rest, this.#whereIs(child))
  }

  #whereIs(node: Node): string {
    return `${this.#file}:${this.#yaml.placeOf(node)}`
  }
}
