/** What transactions promise beyond what a history of single messages shows: together or not at all, and moved once. */

/** Whether a message of a queue has come to anybody. */
export type WasTaken = (queue: string, id: string) => boolean

interface Group {
  readonly queue: string
  readonly ids: readonly string[]
}

interface Moves {
  readonly from: string
  readonly id: string
  readonly to: string
  /** One for each attempt that was committed, or may have been. */
  readonly copies: string[]
}

export class TransactionLedger {
  readonly #groups: Group[] = []
  readonly #moves = new Map<string, Moves>()

  /** Nobody knows whether these were committed. */
  together(queue: string, ids: readonly string[]): void {
    this.#groups.push({ queue, ids })
  }

  /** An attempt to settle a message and to publish its copy, which was committed or may have been. */
  moved(from: string, id: string, to: string, copy: string): void {
    const key = JSON.stringify([from, id])
    const moves = this.#moves.get(key)
    if (moves === undefined) this.#moves.set(key, { from, id, to, copies: [copy] })
    else moves.copies.push(copy)
  }

  violations(wasTaken: WasTaken): string[] {
    const found: string[] = []
    for (const { queue, ids } of this.#groups) {
      const count = ids.filter((id) => wasTaken(queue, id)).length
      if (count > 0 && count < ids.length)
        found.push(`${count} of ${ids.length} messages of one transaction came from queue ${queue}: ${ids.join(', ')}`)
    }
    for (const { from, id, to, copies } of this.#moves.values()) {
      const count = copies.filter((copy) => wasTaken(to, copy)).length
      if (count !== 1)
        found.push(`${id} of queue ${from} was moved ${count} times to queue ${to}: as ${copies.join(', ')}`)
    }
    return found
  }
}
