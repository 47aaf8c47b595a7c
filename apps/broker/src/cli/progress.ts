/** How far long work has got, on one line of a terminal that is drawn again and again. Nothing is drawn where there is no terminal. */
import type { ConsoleIo, ConsoleOutput } from '../process/console-io.ts'
import { countText, durationText, percentText, sizeText } from './format.ts'
import { cutText } from './text.ts'

/** How often the line is drawn. */
const DRAW_EVERY_MS = 200
const BAR_WIDTH = 24
/** Where a terminal does not say how wide it is. */
const WIDTH_DEFAULT = 80

export interface Progress {
  readonly done: number
  /** Undefined while it is not known. */
  readonly total?: number | undefined
}

/** 'moving orders  [######------]  50 %  1,000 of 2,000  500/s, 2s left' */
export function progressLine(
  text: string,
  { done, total }: Progress,
  {
    elapsedMs,
    unit,
    width,
  }: { readonly elapsedMs: number; readonly unit: 'messages' | 'bytes'; readonly width: number },
): string {
  const shown = unit === 'bytes' ? sizeText : countText
  const perMs = elapsedMs > 0 ? done / elapsedMs : 0
  const pace = done === 0 ? durationText(elapsedMs) : `${shown(Math.round(perMs * 1_000))}/s`
  if (total === undefined || total === 0) return cutText(`${text}  ${shown(done)}  ${pace}`, width)
  const share = Math.min(1, done / total)
  const filled = Math.round(share * BAR_WIDTH)
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}]`
  const left = perMs > 0 && done < total ? `, ${durationText(Math.max(1_000, (total - done) / perMs))} left` : ''
  return cutText(`${text}  ${bar} ${percentText(share)}  ${shown(done)} of ${shown(total)}  ${pace}${left}`, width)
}

export class ProgressLine {
  readonly #output: ConsoleOutput
  readonly #text: string
  readonly #unit: 'messages' | 'bytes'
  readonly #startedMs: number = performance.now()
  #isDrawn = false

  constructor({ stderr }: Pick<ConsoleIo, 'stderr'>, text: string, unit: 'messages' | 'bytes') {
    this.#output = stderr
    this.#text = text
    this.#unit = unit
  }

  show(progress: Progress): void {
    if (this.#output.isTTY !== true) return
    const { columns = WIDTH_DEFAULT } = this.#output
    const elapsedMs = performance.now() - this.#startedMs
    const line = progressLine(this.#text, progress, { elapsedMs, unit: this.#unit, width: columns - 1 })
    this.#output.write(`\r${line}\u001B[K`)
    this.#isDrawn = true
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#isDrawn) this.#output.write('\r\u001B[K')
    this.#isDrawn = false
  }
}

export interface ProgressOptions {
  readonly io: ConsoleIo
  readonly text: string
  readonly unit: 'messages' | 'bytes'
  readonly total?: number | undefined
  /** How far it has got. */
  readonly done: () => number | Promise<number>
}

/** Shows how far `work` has got until it ends. */
export async function withProgress<T>(
  { io, text, unit, total, done }: ProgressOptions,
  work: () => Promise<T>,
): Promise<T> {
  if (io.stderr.isTTY !== true) return work()
  const line = new ProgressLine(io, text, unit)
  let isOver = false
  const draw = async (): Promise<void> => {
    const soFar = await done()
    if (!isOver) line.show({ done: soFar, total })
  }
  const timer = setInterval(() => void draw(), DRAW_EVERY_MS) // `done` does not reject
  try {
    return await work()
  } finally {
    isOver = true
    clearInterval(timer)
    line.clear()
  }
}
