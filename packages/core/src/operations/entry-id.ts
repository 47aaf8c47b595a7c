/** How an entry of a queue is named towards the outside: by its priority and its position there, which is never used again. */

export interface EntryPlace {
  readonly priority: number
  readonly position: number
}

export function entryIdOf(priority: number, position: number): string {
  return `${priority}-${position}`
}

/** Undefined for what no entry is named. */
export function parseEntryId(id: string): EntryPlace | undefined {
  const found = /^([0-9])-([1-9][0-9]{0,15})$/.exec(id)
  return found === null ? undefined : { priority: Number(found[1]), position: Number(found[2]) }
}
