/** Reads a value out of nested sections. */

/** Undefined where a step is missing. */
export function valueAt(value: unknown, path: ReadonlyArray<PropertyKey>): unknown {
  let part = value
  for (const step of path) {
    part = typeof part === 'object' && part !== null ? (part as Record<PropertyKey, unknown>)[step] : undefined
  }
  return part
}
