/**
 * Which lines of the sources a run has reached, by V8's own counts. Node runs TypeScript with its types blanked out, so places
 * in what runs are places in the source.
 */
import { readFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { stripTypeScriptTypes } from 'node:module'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A part of a script and how often it ran; inner ones say more than outer ones. */
export interface CountedRange {
  readonly startOffset: number
  readonly endOffset: number
  readonly count: number
}

export interface FileCoverage {
  /** Relative to the folder asked for. */
  readonly file: string
  readonly lines: number
  /** Lines of code that never ran, from 1. */
  readonly missed: readonly number[]
}

export class Coverage {
  readonly #session = new Session()

  static async start(): Promise<Coverage> {
    const coverage = new Coverage()
    coverage.#session.connect()
    await coverage.#session.post('Profiler.enable')
    await coverage.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
    return coverage
  }

  /** Of the sources below `folder` that were loaded since the start; tests and fuzzers are left out. */
  async take(folder: string): Promise<FileCoverage[]> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage')
    this.#session.disconnect()
    return result
      .filter(({ url }) => url.startsWith('file://'))
      .map(({ url, functions }) => ({ path: fileURLToPath(url), ranges: functions.flatMap((one) => one.ranges) }))
      .filter(({ path }) => path.startsWith(folder) && !/\.(?:test|fuzz|bench)\.ts$/.test(path))
      .map(({ path, ranges }) => ({ file: relative(folder, path), ...linesOf(readFileSync(path, 'utf8'), ranges) }))
      .toSorted((first, second) => (first.file < second.file ? -1 : 1))
  }
}

/** Lines that have code, and those of them that never ran. A line ran when any of its code did. */
export function linesOf(source: string, ranges: readonly CountedRange[]): Pick<FileCoverage, 'lines' | 'missed'> {
  const code = withoutComments(stripTypeScriptTypes(source))
  const counts = countsOf(source.length, ranges)
  let lines = 0
  let at = 0
  const missed: number[] = []
  for (const [index, line] of code.split('\n').entries()) {
    const places = [...line].flatMap((char, column) => (/[\s{}()[\];,]/.test(char) ? [] : [at + column]))
    at += line.length + 1
    if (places.length === 0 || /^\s*(?:import|export)\b.*(?:from\b|\*)/.test(line)) continue
    lines++
    if (places.every((place) => counts[place] === 0)) missed.push(index + 1)
  }
  return { lines, missed }
}

/** For each place the count of the innermost range. */
function countsOf(length: number, ranges: readonly CountedRange[]): Float64Array {
  const counts = new Float64Array(length)
  const outerFirst = ranges.toSorted(
    (first, second) => first.startOffset - second.startOffset || second.endOffset - first.endOffset,
  )
  for (const { startOffset, endOffset, count } of outerFirst) counts.fill(count, startOffset, endOffset)
  return counts
}

/** Comments become spaces. Text that looks like one inside a string becomes spaces, too: no matter for counting lines. */
function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[^]*?\*\/|(?<!:)\/\/[^\n]*/g, (comment) => comment.replaceAll(/[^\n]/g, ' '))
}
