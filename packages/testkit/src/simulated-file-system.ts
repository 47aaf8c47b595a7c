/**
 * What a simulated disk holds: files and directories as the process sees them, what of them is durable, and the changes
 * between the two in their order. It knows what a sync saves and what a loss of power leaves; when an operation happens,
 * and which one fails, is the business of `SimulatedDisk`.
 */
import { DiskError } from '@ternmq/store'
import { SparseBytes } from './simulated-bytes.ts'
import { type SurvivalRules, survivingPieces } from './simulated-survival.ts'

/** A change of a file's contents that no sync has covered. */
export type ContentChange =
  | { readonly order: number; readonly kind: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly order: number; readonly kind: 'truncate'; readonly size: number }
  /** What a loss of power makes of a write: the file has its length, and zeros where it was not as long before. */
  | { readonly order: number; readonly kind: 'grow'; readonly size: number }

export class FileNode {
  readonly kind = 'file'
  visible: SparseBytes = new SparseBytes()
  durable: SparseBytes = new SparseBytes()
  pending: ContentChange[] = []
  /** Handles and names that keep it alive: its blocks are free when both are 0. */
  openCount = 0
  nameCount = 0
}

interface NameOf {
  readonly node: Node
  /** Order of the change that set it; 0: from before. */
  readonly order: number
}

export class DirectoryNode {
  readonly kind = 'directory'
  readonly visible: Map<string, Node> = new Map()
  readonly durable: Map<string, NameOf> = new Map()
}

export type Node = FileNode | DirectoryNode

/** One name that a change sets, or takes away (`node` undefined). */
interface NameEffect {
  readonly directory: DirectoryNode
  readonly name: string
  readonly node: Node | undefined
  isDurable: boolean
}

/** A creation has one effect, a rename two; those of one directory become durable together. */
interface NameChange {
  readonly order: number
  readonly effects: readonly NameEffect[]
}

export class SimulatedFileSystem {
  readonly root: DirectoryNode = new DirectoryNode()
  #order = 0
  #names: NameChange[] = []
  #usedBytes = 0

  /** Number of the newest change: a sync that starts now covers what is up to here. */
  get order(): number {
    return this.#order
  }

  /** Bytes of all blocks, of files without a name that are still open too. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  // --- names

  /** Undefined where there is nothing. '' is the root. */
  find(path: string): Node | undefined {
    let node: Node | undefined = this.root
    if (path === '') return node
    for (const name of path.split('/')) {
      if (name === '' || name === '.' || name === '..')
        throw new RangeError(`path "${path}": names between '/' must not be empty, '.' or '..'`)
      node = node?.kind === 'directory' ? node.visible.get(name) : undefined
    }
    return node
  }

  file(path: string): FileNode {
    const node = this.find(path)
    if (node === undefined) throw new DiskError('not-found', path, 'there is no such file')
    if (node.kind === 'directory') throw new DiskError('denied', path, 'it is a directory, not a file')
    return node
  }

  directory(path: string): DirectoryNode {
    const node = this.find(path)
    if (node?.kind !== 'directory') throw new DiskError('not-found', path, 'there is no such directory')
    return node
  }

  create(path: string): FileNode {
    if (this.find(path) !== undefined) throw new DiskError('exists', path, 'the file exists')
    const file = new FileNode()
    this.#rename([{ ...this.#placeOf(path), node: file }])
    return file
  }

  /** Makes `path` and its parents. */
  makeDirectory(path: string): void {
    const names = path === '' ? [] : path.split('/')
    for (let depth = 1; depth <= names.length; depth++) {
      const at = names.slice(0, depth).join('/')
      const node = this.find(at)
      if (node?.kind === 'file') throw new DiskError('exists', at, 'it is a file, not a directory')
      if (node === undefined) this.#rename([{ ...this.#placeOf(at), node: new DirectoryNode() }])
    }
  }

  remove(path: string): void {
    this.file(path)
    this.#rename([{ ...this.#placeOf(path), node: undefined }])
  }

  rename(from: string, to: string): void {
    const node = this.file(from)
    const replaced = this.find(to)
    if (replaced === node) return
    if (replaced?.kind === 'directory') throw new DiskError('denied', to, 'it is a directory, not a file')
    this.#rename([
      { ...this.#placeOf(from), node: undefined },
      { ...this.#placeOf(to), node },
    ])
  }

  /** Names of `path` whose changes are up to `order` become durable. */
  syncDirectory(directory: DirectoryNode, order: number): void {
    for (const change of this.#names) {
      if (change.order > order) break
      for (const effect of change.effects) if (effect.directory === directory) makeDurable(effect, change.order)
    }
    this.#names = this.#names.filter(({ effects }) => effects.some(({ isDurable }) => !isDurable))
  }

  /** The directory that holds the last name of `path`, and that name. */
  #placeOf(path: string): { directory: DirectoryNode; name: string } {
    const cut = path.lastIndexOf('/')
    return { directory: this.directory(path.slice(0, Math.max(cut, 0))), name: path.slice(cut + 1) }
  }

  #rename(changes: readonly Omit<NameEffect, 'isDurable'>[]): void {
    this.#names.push({ order: ++this.#order, effects: changes.map((change) => ({ ...change, isDurable: false })) })
    // First what a name gives, then what it takes: a file that is renamed must not be without one meanwhile.
    for (const { node } of changes) if (node?.kind === 'file') node.nameCount++
    for (const { directory, name, node } of changes) {
      const before = directory.visible.get(name)
      if (node === undefined) directory.visible.delete(name)
      else directory.visible.set(name, node)
      if (before?.kind !== 'file') continue
      before.nameCount--
      this.#freeUnused(before)
    }
  }

  // --- contents

  opened(file: FileNode): void {
    file.openCount++
  }

  closed(file: FileNode): void {
    file.openCount--
    this.#freeUnused(file)
  }

  write(file: FileNode, position: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.#change(file, { order: ++this.#order, kind: 'write', position, bytes })
  }

  truncate(file: FileNode, size: number): void {
    this.#change(file, { order: ++this.#order, kind: 'truncate', size })
  }

  /** Contents of changes up to `order` become durable. */
  syncFile(file: FileNode, order: number): void {
    const later = file.pending.findIndex((change) => change.order > order)
    const covered = file.pending.splice(0, later < 0 ? file.pending.length : later)
    for (const change of covered) apply(file.durable, change)
  }

  /**
   * A sync failed and the kernel calls the pages clean that `isDropped` names: they never reach the disk, whatever sync
   * succeeds later. With `areGone` the process reads the old contents at once, else until the next crash the new ones.
   */
  dropPending(file: FileNode, isDropped: (change: ContentChange) => boolean, areGone: boolean): void {
    file.pending = file.pending.filter((change) => !isDropped(change))
    if (!areGone) return
    const contents = file.durable.clone()
    for (const change of file.pending) apply(contents, change)
    this.#usedBytes += contents.allocatedBytes - file.visible.allocatedBytes
    file.visible = contents
  }

  /** Where a block has to be allocated, in bytes. */
  missingBytes(file: FileNode, position: number, byteCount: number): number {
    return file.visible.missingBytes(position, byteCount)
  }

  #change(file: FileNode, change: ContentChange): void {
    const before = file.visible.allocatedBytes
    apply(file.visible, change)
    this.#usedBytes += file.visible.allocatedBytes - before
    file.pending.push(change)
  }

  #freeUnused(file: FileNode): void {
    if (file.openCount === 0 && file.nameCount === 0) {
      this.#usedBytes -= file.visible.allocatedBytes
      file.visible = new SparseBytes()
      file.pending = []
    }
  }

  // --- crashes

  /** The process is gone, the kernel lives: all handles close, everything written stays and is as unsynced as before. */
  killProcess(): void {
    this.#usedBytes = 0
    for (const file of filesBelow(this.root)) {
      file.openCount = 0
      this.#usedBytes += file.visible.allocatedBytes
    }
  }

  /** The power is gone: what is durable stays, and of the rest what `rules` choose. */
  losePower(rules: SurvivalRules): void {
    rules.begin(this.#names.length)
    for (const change of this.#names) {
      if (!rules.survives()) continue
      for (const effect of change.effects) if (!effect.isDurable) makeDurable(effect, change.order)
    }
    this.#names = []
    this.#usedBytes = 0
    dropOlderNames(this.root)
    restoreNames(this.root)
    for (const file of filesBelow(this.root)) {
      for (const piece of survivingPieces(file.pending, rules)) apply(file.durable, piece)
      file.pending = []
      file.openCount = 0
      file.nameCount = 1
      file.visible = file.durable.clone()
      this.#usedBytes += file.visible.allocatedBytes
    }
  }
}

function apply(contents: SparseBytes, change: ContentChange): void {
  if (change.kind === 'write') contents.write(change.position, change.bytes)
  else if (change.kind === 'truncate' || contents.size < change.size) contents.truncate(change.size)
}

function makeDurable(effect: NameEffect, order: number): void {
  if (effect.isDurable) return
  if (effect.node === undefined) effect.directory.durable.delete(effect.name)
  else effect.directory.durable.set(effect.name, { node: effect.node, order })
  effect.isDurable = true
}

/**
 * When a rename survives and an earlier one of the same file does not, two names hold it. No file system leaves that:
 * the newer name is the file's.
 */
function dropOlderNames(root: DirectoryNode): void {
  const newest = new Map<Node, { directory: DirectoryNode; name: string; order: number }>()
  const visit = (directory: DirectoryNode): void => {
    for (const [name, { node, order }] of directory.durable) {
      const other = newest.get(node)
      const older = other !== undefined && other.order > order ? { directory, name } : other
      older?.directory.durable.delete(older.name)
      if (other === undefined || other.order <= order) newest.set(node, { directory, name, order })
      if (node.kind === 'directory') visit(node)
    }
  }
  visit(root)
}

function restoreNames(directory: DirectoryNode): void {
  directory.visible.clear()
  for (const [name, { node }] of directory.durable) {
    directory.visible.set(name, node)
    directory.durable.set(name, { node, order: 0 })
    if (node.kind === 'directory') restoreNames(node)
  }
}

function* filesBelow(directory: DirectoryNode): Generator<FileNode> {
  for (const node of directory.visible.values()) {
    if (node.kind === 'file') yield node
    else yield* filesBelow(node)
  }
}
