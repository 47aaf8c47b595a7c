/** A setting's value as the text of a field, and back. */

/** Texts stand as they are; all else as JSON. */
export function writeSetting(value: unknown): string {
  if (value === undefined) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Read as what the setting has now; `wrong` says why it cannot be. What is allowed the server knows. */
export function readSetting(text: string, example: unknown): { readonly value?: unknown; readonly wrong?: string } {
  if (typeof example === 'string') return { value: text }
  const trimmed = text.trim().replaceAll(/(?<=\d)[,_](?=\d{3})/g, typeof example === 'number' ? '' : '$&')
  if (typeof example === 'number') {
    const value = Number(trimmed)
    return trimmed === '' || !Number.isFinite(value) ? { wrong: 'It must be a number.' } : { value }
  }
  if (typeof example === 'boolean') {
    return trimmed === 'true' || trimmed === 'false'
      ? { value: trimmed === 'true' }
      : { wrong: 'It must be true or false.' }
  }
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    // A setting without a value now may well be a text.
    return example === undefined || example === null
      ? { value: text }
      : { wrong: 'It must be JSON: a list in [ ], an object in { }.' }
  }
}
