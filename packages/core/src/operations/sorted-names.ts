/** Names in their order, a few at a time, of a map that has none: a level of a tree may have a million of them. */

/** Names that are sorted at a time. */
const NAMES_BATCH = 1_024

/** The names from `first` on, or all; `first` itself is among them if it is there. The map may change between two names. */
export function* sortedNames(names: { keys(): Iterable<string> }, first?: string): Generator<string> {
  let batch = smallest(names.keys(), (name) => first === undefined || name >= first)
  while (batch.length > 0) {
    yield* batch
    if (batch.length < NAMES_BATCH) return
    const last = batch[batch.length - 1]!
    batch = smallest(names.keys(), (name) => name > last)
  }
}

/** The first `NAMES_BATCH` of those that `wants` does not leave out, in their order. */
function smallest(names: Iterable<string>, wants: (name: string) => boolean): string[] {
  let found: string[] = []
  let bound: string | undefined = undefined
  for (const name of names) {
    if ((bound !== undefined && name >= bound) || !wants(name)) continue
    found.push(name)
    if (found.length < NAMES_BATCH * 2) continue
    found = found.sort().slice(0, NAMES_BATCH)
    bound = found[NAMES_BATCH - 1]
  }
  return found.sort().slice(0, NAMES_BATCH)
}
