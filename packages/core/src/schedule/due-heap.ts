/** Who is due next, of many: a binary heap whose members know their place in it, so that one can leave from the middle. */

export interface DueMember {
  /** Unix ms. Must not change while it is in the heap. */
  readonly dueAtMs: number
  /** Ascending; decides between those that are due at the same moment. */
  readonly number: number
  /** Place in the heap; -1 outside. Only the heap touches it. */
  heapIndex: number
}

export class DueHeap<T extends DueMember> {
  readonly #members: T[] = []

  get size(): number {
    return this.#members.length
  }

  /** The one that is due first. */
  peek(): T | undefined {
    return this.#members[0]
  }

  /** O(log n). */
  push(member: T): void {
    this.#members.push(member)
    this.#up(member, this.#members.length - 1)
  }

  /** Takes one out, wherever it is. Safe for one that is not in it. */
  remove(member: T): void {
    const index = member.heapIndex
    if (index < 0) return
    member.heapIndex = -1
    const last = this.#members.pop()!
    if (last === member) return
    this.#up(last, index)
    this.#down(last, last.heapIndex)
  }

  pop(): T | undefined {
    const first = this.#members[0]
    if (first !== undefined) this.remove(first)
    return first
  }

  #up(member: T, from: number): void {
    const members = this.#members
    let index = from
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = members[parentIndex]!
      if (isBefore(parent, member)) break
      this.#put(parent, index)
      index = parentIndex
    }
    this.#put(member, index)
  }

  #down(member: T, from: number): void {
    const members = this.#members
    let index = from
    for (;;) {
      let childIndex = index * 2 + 1
      if (childIndex >= members.length) break
      const right = members[childIndex + 1]
      if (right !== undefined && isBefore(right, members[childIndex]!)) childIndex++
      const child = members[childIndex]!
      if (isBefore(member, child)) break
      this.#put(child, index)
      index = childIndex
    }
    this.#put(member, index)
  }

  #put(member: T, index: number): void {
    this.#members[index] = member
    member.heapIndex = index
  }
}

function isBefore(one: DueMember, other: DueMember): boolean {
  return one.dueAtMs < other.dueAtMs || (one.dueAtMs === other.dueAtMs && one.number < other.number)
}
