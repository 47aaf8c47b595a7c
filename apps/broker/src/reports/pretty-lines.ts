/** Log lines for people: `12:34:56.789 INFO  sentence  key=value`. */

/** Fields that have their own place in the line. */
const PLACED = new Set(['time', 'level', 'msg'])

/** Takes pino's JSON lines and passes them on in words. */
export class PrettyLines {
  readonly #next: { write(line: string): unknown }

  constructor(next: { write(line: string): unknown }) {
    this.#next = next
  }

  write(line: string): void {
    this.#next.write(prettyLine(JSON.parse(line) as Record<string, unknown>))
  }
}

export function prettyLine(fields: Readonly<Record<string, unknown>>): string {
  const time = String(fields['time']).slice('2026-01-01T'.length, -1)
  const level = String(fields['level']).toUpperCase().padEnd(5)
  const rest = Object.entries(fields)
    .filter(([name, value]) => !PLACED.has(name) && value !== '')
    .map(
      ([name, value]) =>
        `${name}=${typeof value === 'string' && /^[\w.:/@-]+$/.test(value) ? value : JSON.stringify(value)}`,
    )
  return `${visible([`${time} ${level} ${String(fields['msg'])}`, ...rest].join('  '))}\n`
}

/** What clients send must not move the cursor of a terminal. */
function visible(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
