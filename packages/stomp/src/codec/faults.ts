/** What is said of frames that are refused: which header and value, what is wrong, and what would be right. */
import { isOfLogin } from './commands.ts'
import { HeaderId, headerIdOf } from './header-ids.ts'
import type { FrameLimits } from './limits.ts'
import { FrameProblem, type FrameRule, quoteBytes } from './problem.ts'
import type { StompVersion } from './versions.ts'

/** A frame as far as it was read: `FrameHeaders`. */
interface ReadSoFar {
  readonly command: number
  readonly version: StompVersion
  readonly contentLength: number
  problem(rule: FrameRule, text: string, header: string | undefined): FrameProblem
}

/** About the header line from `start`; `nameEnd` is -1 before its colon, `shownEnd` the end of what is shown of it. */
export function lineFault(
  headers: ReadSoFar,
  rule: FrameRule,
  bytes: Uint8Array,
  start: number,
  nameEnd: number,
  shownEnd: number,
  say: (where: string, shown: string) => string,
): FrameProblem {
  const header = shownName(headers, bytes, start, nameEnd)
  const where = header === undefined ? 'header line ' : `header ${header}: `
  // What is said goes into logs.
  const isSecret = mayBeSecret(headers, bytes, start, nameEnd)
  const shown = isSecret ? (header === undefined ? 'of the login' : 'the value') : quoteBytes(bytes, nameEnd < 0 ? start : nameEnd + 1, shownEnd)
  return headers.problem(rule, say(where, shown), header)
}

/** A passcode, or a line of the login that is no header we know: whoever forgets the colon, or misspells the name, sends the passcode all the same. */
function mayBeSecret({ command }: ReadSoFar, bytes: Uint8Array, start: number, nameEnd: number): boolean {
  const id = nameEnd < 0 ? 0 : headerIdOf(bytes, start, nameEnd)
  return id === HeaderId.passcode || (id === 0 && isOfLogin(command))
}

/** Undefined where there is none, or none that may be shown. */
function shownName(headers: ReadSoFar, bytes: Uint8Array, start: number, nameEnd: number): string | undefined {
  if (nameEnd < 0) return undefined
  const isKnown = headerIdOf(bytes, start, nameEnd) !== 0
  return !isKnown && isOfLogin(headers.command) ? undefined : quoteBytes(bytes, start, nameEnd).slice(1, -1)
}

/** `at` is the letter of the escape. */
export function undefinedEscape(
  headers: ReadSoFar,
  bytes: Uint8Array,
  start: number,
  nameEnd: number,
  at: number,
): FrameProblem {
  return lineFault(headers, 'undefined-escape', bytes, start, nameEnd, at + 1, (where, shown) => {
    const escapes = headers.version === 12 ? '\\r, \\n, \\c and \\\\' : '\\n, \\c and \\\\'
    const sequence = quoteBytes(bytes, at - 1, at + 1).replaceAll('\\\\', '\\')
    return `${where}${shown} has the escape ${sequence}, which STOMP 1.${headers.version - 10} does not define; it has ${escapes}`
  })
}

export const nulText = (where: string, shown: string): string =>
  `${where}${shown} is followed by NUL; end the headers with an empty line, and put NUL after the body`
export const noColonText = (where: string, shown: string): string => `${where}${shown} has no colon; write name:value`
export const noNameText = (where: string, shown: string): string =>
  `${where}${shown} has no name before its colon; write name:value`
export const utf8Text = (where: string, shown: string): string =>
  `${where}${shown} is not valid UTF-8; encode headers in UTF-8`
export const rawCrText = (where: string, shown: string): string =>
  `${where}${shown} has a carriage return that does not end the line; write it as \\r`

export function unknownCommand(bytes: Uint8Array, start: number, end: number, version: StompVersion): FrameProblem {
  const text = `${quoteBytes(bytes, start, end)} is no STOMP command; commands are upper case and alone on their line`
  return new FrameProblem({ rule: 'unknown-command', version, text })
}

export function tooManyHeaderBytes(version: StompVersion, limits: FrameLimits, headers?: ReadSoFar): FrameProblem {
  const text = `the headers of the frame take more than stomp.maxHeaderBytes ${limits.maxHeaderBytes}; send fewer or shorter ones`
  return headers?.problem('too-many-header-bytes', text, undefined) ?? bare('too-many-header-bytes', version, text)
}

export function tooManyHeaders(version: StompVersion, limits: FrameLimits, headers?: ReadSoFar): FrameProblem {
  const text = `the frame has more headers than stomp.maxHeaders ${limits.maxHeaders}; send fewer`
  return headers?.problem('too-many-headers', text, undefined) ?? bare('too-many-headers', version, text)
}

export function bodyTooLarge(headers: ReadSoFar, size: number, limits: FrameLimits): FrameProblem {
  const text = `body of ${size} bytes exceeds stomp.maxBodyBytes ${limits.maxBodyBytes}; send it in parts`
  return headers.problem('body-too-large', text, headers.contentLength < 0 ? undefined : 'content-length')
}

function bare(rule: FrameRule, version: StompVersion, text: string): FrameProblem {
  return new FrameProblem({ rule, version, text })
}

export function lineTooLong(
  headers: ReadSoFar,
  bytes: Uint8Array,
  start: number,
  nameEnd: number,
  limits: FrameLimits,
): FrameProblem {
  const header = shownName(headers, bytes, start, nameEnd)
  const what = header === undefined ? 'a header line' : `header ${header}`
  return headers.problem('line-too-long', lineTooLongText(what, limits), header)
}

/** `what` is the header, if its name is known. */
export function lineTooLongText(what: string, limits: FrameLimits): string {
  return `${what} takes more than stomp.maxHeaderLineBytes ${limits.maxHeaderLineBytes}; send a shorter value, or send it in the body`
}
