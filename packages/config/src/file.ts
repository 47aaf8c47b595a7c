/**
 * Reads a configuration file: YAML 1.2, of which JSON is a part. Keeps line and column of every value.
 * A file is at most `FILE_BYTES_MAX` long; anchors and aliases may be used, but not to make more of it than fits in memory.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
  type YAMLMap,
} from 'yaml'
import { type Given, notASection, placeOf } from './given.ts'
import { type Problems, shownKey } from './problems.ts'
import { below, type Section, sections } from './settings.ts'

/** Beyond it the file is refused: the largest sensible one, ten thousand access rules, is smaller. */
export const FILE_BYTES_MAX = 1_048_576

/** Values in a file, an alias counted each time it is used. Beyond it the file is refused. */
const VALUES_MAX = 100_000

/** Values within values. Beyond it the file is refused; ours need six. */
const DEPTH_MAX = 20

const TOO_MANY = `the file has more than ${VALUES_MAX} values, aliases counted each time`
const TOO_DEEP = `values are nested more than ${DEPTH_MAX} deep`

/** What the file at `path` gives; sentences call it `file`. Everything that is wrong with it is in `problems` afterwards. */
export function givenByFile(file: string, path: string, problems: Problems): Given[] {
  const text = readText(file, path, problems)
  return text === undefined ? [] : new ConfigFile(file, text, problems).read()
}

function readText(file: string, path: string, problems: Problems): string | undefined {
  try {
    // Opening a pipe would wait for a writer; a directory would fail with words that help nobody.
    if (!statSync(path).isFile()) {
      problems.add(() => `${file}: is not a file`)
      return undefined
    }
    const bytes = readBytes(path)
    if (bytes.length > FILE_BYTES_MAX) {
      problems.add(() => `${file}: has more than ${FILE_BYTES_MAX} bytes, which is the longest a configuration may be`)
      return undefined
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    problems.add(() => `${file}: ${readingFailed(error)}`)
    return undefined
  }
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
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'is not UTF-8 text'
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`
}

class ConfigFile {
  readonly #file: string
  readonly #text: string
  readonly #problems: Problems
  readonly #lines = new LineCounter()
  readonly #anchors = new Map<string, Node>()
  /** What each alias stands for: the last anchor of that name before it. */
  readonly #aliased = new Map<Node, Node>()
  #valuesLeft = VALUES_MAX
  #isTooMuch = false
  readonly #given: Given[] = []

  constructor(file: string, text: string, problems: Problems) {
    this.#file = file
    this.#text = text
    this.#problems = problems
  }

  read(): Given[] {
    const document = parseDocument(this.#text, {
      version: '1.2',
      schema: 'core',
      // Takes quadratic time there; #pairs does it.
      uniqueKeys: false,
      prettyErrors: false,
      lineCounter: this.#lines,
    })
    // After the first syntax error the rest is guesswork, and its sentences would mislead.
    const fault = document.errors[0] ?? document.warnings[0]
    if (fault !== undefined) {
      this.#problems.add(() => `${this.#at(fault.pos[0])}: ${syntaxFault(fault)}`)
      return []
    }
    visit(document, { Node: (_, node) => this.#noteAnchor(node) })
    const root = sections.get('')
    if (root !== undefined) this.#readSection(root, this.#resolve(document.contents), `${this.#file}:1:1`)
    // Values are missing then, and sentences about those would mislead.
    return this.#isTooMuch ? [] : this.#given
  }

  #noteAnchor(node: Node): void {
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source)
      if (target !== undefined) this.#aliased.set(node, target)
      else
        this.#problems.add(
          () => `${this.#whereIs(node)}: no anchor &${node.source} stands before the alias *${node.source}`,
        )
    } else if ('anchor' in node && typeof node.anchor === 'string') {
      this.#anchors.set(node.anchor, node)
    }
  }

  #readSection(section: Section, node: Node | undefined, where: string): void {
    if (node === undefined) return // 'mqtt:' with nothing below it, all commented out
    if (!isMap(node)) {
      this.#problems.add(() => `${where}: ${notASection(section, this.#value(node, where, 0))}`)
      return
    }
    for (const [name, valueNode, nameWhere] of this.#pairs(node, (name) => below(section.key, name))) {
      const place = placeOf(section.key, name, nameWhere, this.#problems)
      const valueWhere = valueNode === undefined ? nameWhere : this.#whereIs(valueNode)
      if (place.kind === 'section') this.#readSection(place.section, valueNode, valueWhere)
      if (place.kind !== 'setting') continue
      this.#given.push({
        setting: place.setting,
        value: this.#value(valueNode, valueWhere, 0),
        source: { kind: 'file', text: `file ${valueWhere}` },
        where: (path) => this.#whereWithin(valueNode, path, valueWhere),
      })
    }
  }

  /** Name, value and place of the name. A name given twice counts once. */
  *#pairs(
    map: YAMLMap,
    keyOf: (name: string) => string,
  ): Generator<[name: string, value: Node | undefined, where: string]> {
    const firstWhere = new Map<string, string>()
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      const nameNode = this.#resolve(pair.key)
      const where = this.#whereIs(pair.key)
      if (!isScalar(nameNode)) {
        this.#problems.add(() => `${where}: a key is not a name`)
        continue
      }
      const name = nameNode.source ?? String(nameNode.value)
      const first = firstWhere.get(name)
      if (first !== undefined) {
        this.#problems.add(
          () => `${where}: ${shownKey(keyOf(name))} is given twice, the first time at ${first}; keep one`,
        )
        continue
      }
      firstWhere.set(name, where)
      yield [name, this.#resolve(pair.value), where]
    }
  }

  /** A node as a plain value. */
  #value(node: Node | undefined, where: string, depth: number): unknown {
    if (this.#isTooMuch) return null
    if (this.#valuesLeft-- <= 0 || depth > DEPTH_MAX) {
      this.#isTooMuch = true
      this.#problems.add(() => `${where}: ${depth > DEPTH_MAX ? TOO_DEEP : TOO_MANY}`)
      return null
    }
    if (isScalar(node)) return node.value
    if (isSeq<Node>(node))
      return node.items.map((item) => this.#value(this.#resolve(item), this.#whereIs(item), depth + 1))
    if (isMap(node)) {
      // Without prototype, so that '__proto__' is a name like any other.
      const object = Object.create(null) as Record<string, unknown>
      for (const [name, value, nameWhere] of this.#pairs(node, (name) => name))
        object[name] = this.#value(value, nameWhere, depth + 1)
      return object
    }
    return null
  }

  /** The node itself, what an alias stands for, or undefined for an empty place. */
  #resolve(node: Node | null | undefined): Node | undefined {
    const target = node === null || node === undefined ? undefined : (this.#aliased.get(node) ?? node)
    return target === undefined || isAlias(target) || (isScalar(target) && target.value === null) ? undefined : target
  }

  #whereWithin(node: Node | undefined, path: ReadonlyArray<PropertyKey>, outer: string): string {
    const [step, ...rest] = path
    if (step === undefined || node === undefined) return outer
    const child = isMap(node) || isSeq(node) ? (node.get(step, true) as Node | undefined) : undefined
    if (child === undefined || child === null) return outer
    return this.#whereWithin(this.#resolve(child), rest, this.#whereIs(child))
  }

  #whereIs(node: Node | null | undefined): string {
    return this.#at(node?.range?.[0] ?? 0)
  }

  #at(offset: number): string {
    const { line, col } = this.#lines.linePos(offset)
    return `${this.#file}:${line}:${col}`
  }
}

function syntaxFault({ code, message }: YAMLError): string {
  if (code === 'MULTIPLE_DOCS') return 'a second document begins; a configuration is one document'
  if (code === 'RESOURCE_EXHAUSTION') return TOO_DEEP
  return `is not valid YAML: ${message.replace(/\s+/g, ' ').trim()}`
}
