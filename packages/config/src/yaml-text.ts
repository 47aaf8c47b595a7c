/**
 * YAML 1.2 with its core schema, of which JSON is a part: the one way in for every document, of configuration and definitions, in commands and in
 * the page. Refused is whatever could be read as something else than it says: circles, other tags, other versions, a second document.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLError,
  type YAMLMap,
} from 'yaml'
import { TextFault } from './document-text.ts'
import { shownKey } from './shown.ts'

/** Values within values, those of aliases too. Ours need six. */
const DEPTH_MAX = 20

/** What a node stands for, with its aliases. */
interface Extent {
  readonly chars: number
  readonly depth: number
}

export class YamlText {
  readonly root: Node | undefined
  readonly #text: string
  readonly #charsMax: number
  readonly #lines = new LineCounter()
  readonly #anchors = new Map<string, Node>()
  /** What each alias stands for: the last anchor of that name before it. */
  readonly #aliased = new Map<Node, Node>()
  /** Of what has an anchor: not there while what is in it is looked at. */
  readonly #extents = new Map<Node, Extent>()
  #aliasedChars = 0

  /** `charsMax` is the most that the text may have, with all that its aliases stand for. Throws TextFault for the first thing that is wrong. */
  constructor(text: string, charsMax: number) {
    this.#text = text
    this.#charsMax = charsMax
    const document = parseDocument(text, {
      version: '1.2',
      schema: 'core',
      resolveKnownTags: false,
      // Takes quadratic time there; #checkPairs does it.
      uniqueKeys: false,
      prettyErrors: false,
      lineCounter: this.#lines,
    })
    // After the first of them the rest is guesswork, and its sentences would mislead.
    const error = document.errors[0] ?? document.warnings[0]
    if (error !== undefined) throw this.#fault(error.pos[0], this.#syntax(error))
    const { explicit, version } = document.directives.yaml
    if (explicit === true && version !== '1.2')
      throw this.#fault(
        text.search(/^%YAML/m),
        `this is YAML ${version}, which reads some texts as others; leave the line out`,
      )
    this.#check(document.contents, 0)
    this.root = this.resolve(document.contents)
  }

  /** The node itself, what an alias stands for, or undefined for an empty place. */
  resolve(node: Node | null | undefined): Node | undefined {
    const target = node === null || node === undefined ? undefined : (this.#aliased.get(node) ?? node)
    return target === undefined || (isScalar(target) && target.value === null) ? undefined : target
  }

  /** Names as they are written, each once. */
  *pairs(map: YAMLMap): Generator<readonly [name: string, value: Node | undefined, nameNode: Node]> {
    for (const { key, value } of map.items as Pair<Node, Node | null>[]) {
      yield [this.#nameOf(key)!, this.resolve(value), key] // #checkPairs has seen that it is one
    }
  }

  /** A node as a plain value. */
  plain(node: Node | undefined): unknown {
    if (isScalar(node)) return node.value
    if (isSeq<Node>(node)) return node.items.map((item) => this.plain(this.resolve(item)))
    if (!isMap(node)) return null
    // Without prototype, so that '__proto__' is a name like any other.
    const object = Object.create(null) as Record<string, unknown>
    for (const [name, value] of this.pairs(node)) object[name] = this.plain(value)
    return object
  }

  /** '12:5', from 1. */
  placeOf(node: Node | null | undefined): string {
    const { line, col } = this.#linePos(node)
    return `${line}:${col}`
  }

  #linePos(node: Node | null | undefined): { readonly line: number; readonly col: number } {
    return this.#lines.linePos(node?.range?.[0] ?? 0)
  }

  #check(node: Node | null, depth: number): Extent {
    if (node === null) return { chars: 1, depth: 0 }
    if (depth > DEPTH_MAX) throw this.#faultAt(node, TOO_DEEP)
    if (isAlias(node)) return this.#checkAlias(node, node.source, depth)
    const { anchor } = node as { readonly anchor?: string }
    if (anchor !== undefined) this.#anchors.set(anchor, node)
    let chars = isScalar(node) ? 1 + String(node.value).length : 1
    let below = 0
    const parts = isSeq<Node>(node) ? node.items : isMap(node) ? this.#checkPairs(node) : []
    for (const part of parts) {
      const extent = this.#check(part, depth + 1)
      chars += extent.chars
      below = Math.max(below, extent.depth + 1)
    }
    const extent = { chars, depth: below }
    if (anchor !== undefined) this.#extents.set(node, extent)
    return extent
  }

  #checkAlias(node: Node, source: string, depth: number): Extent {
    const target = this.#anchors.get(source)
    const name = shownKey(source)
    if (target === undefined) throw this.#faultAt(node, `no anchor &${name} stands before the alias *${name}`)
    const extent = this.#extents.get(target)
    if (extent === undefined)
      throw this.#faultAt(node, `the alias *${name} stands within &${name}, which would have no end`)
    if (depth + extent.depth > DEPTH_MAX) throw this.#faultAt(node, TOO_DEEP)
    this.#aliasedChars += extent.chars
    if (this.#text.length + this.#aliasedChars > this.#charsMax)
      throw this.#faultAt(
        node,
        `with all that its aliases stand for, the text has more than ${this.#charsMax} characters`,
      )
    this.#aliased.set(node, target)
    return extent
  }

  /** Keys and values, to be looked at in turn. */
  *#checkPairs(map: YAMLMap): Generator<Node | null> {
    const firsts = new Map<string, Node>()
    for (const { key, value } of map.items as Pair<Node, Node | null>[]) {
      yield key
      const name = this.#nameOf(key)
      if (name === undefined) throw this.#faultAt(key ?? map, 'a key is not a name')
      const first = firsts.get(name)
      if (first !== undefined)
        throw this.#faultAt(
          key,
          `${shownKey(name)} is given twice, the first time in line ${this.#linePos(first).line}; keep one`,
        )
      firsts.set(name, key)
      yield value
    }
  }

  #nameOf(key: Node | null): string | undefined {
    const node = this.resolve(key)
    return isScalar(node) ? (node.source ?? String(node.value)) : undefined
  }

  #syntax({ code, message, pos }: YAMLError): string {
    if (code === 'MULTIPLE_DOCS') return 'a second document begins; write one only'
    if (code === 'RESOURCE_EXHAUSTION') return TOO_DEEP
    if (code === 'TAG_RESOLVE_FAILED')
      return `the tag ${shownKey(this.#text.slice(...pos))} is none of YAML's core schema that fits here; leave it out`
    return `this is not valid YAML: ${message.replace(/\s+/g, ' ').trim()}`
  }

  #faultAt(node: Node, reason: string): TextFault {
    return this.#fault(node.range?.[0] ?? 0, reason)
  }

  #fault(offset: number, reason: string): TextFault {
    return new TextFault(this.#text, offset, reason)
  }
}

const TOO_DEEP = `values are nested more than ${DEPTH_MAX} deep`
