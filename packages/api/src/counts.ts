/** Numbers with what is counted, as people read them: in answers of the API, on pages and in commands. */

/** `1,234,567`. */
export function countText(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 message`, `2 messages`; `one` in the singular. */
export function several(count: number, one: string, many: string = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`
}
