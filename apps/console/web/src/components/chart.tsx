/** A live chart over time: uPlot with the console's colours, which follow the theme. */
import { useComputedColorScheme } from '@mantine/core'
import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import { chartData } from './chart-data.ts'

export interface Series {
  readonly label: string
  /** Name of a CSS variable: `--chart-in`. */
  readonly color: string
  /** Undefined: not known; the line has a gap there. */
  readonly values: ReadonlyArray<number | undefined>
  readonly fill?: boolean
  /** Pixels of line and gap; left out: a whole line. Under another with the same values it shows in the gaps of that one. */
  readonly dash?: readonly [line: number, gap: number]
}

interface ChartProps {
  readonly label: string
  /** Moments in ms, ascending. */
  readonly atMs: readonly number[]
  readonly series: readonly Series[]
  readonly format: (value: number) => string
  /** Its axis counts in powers of 1,024. */
  readonly inBytes?: boolean
  readonly height?: number
}

/** The last value of each series stands in the legend, as text: the canvas says nothing to a screen reader. */
export function Chart({ label, atMs, series, format, inBytes = false, height = 150 }: ChartProps) {
  const host = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(null)
  const scheme = useComputedColorScheme('light')
  const shape = series.map((one) => `${one.label}:${one.color}`).join()

  useEffect(() => {
    const element = host.current
    if (element === null) return undefined
    const made = new uPlot(
      optionsFor(element, { series, format, inBytes, height }),
      [[], ...series.map(() => [])],
      element,
    )
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = null
    }
    // The series' values are set below; a chart is made anew only when its shape or the theme changes.
  }, [shape, scheme, height])

  useEffect(() => {
    plot.current?.setData(
      chartData(
        atMs,
        series.map(({ values }) => values),
      ),
    )
  }, [atMs, series, shape, scheme, height])

  return (
    <figure className="chart" aria-label={label}>
      <div ref={host} className="chart-canvas" aria-hidden="true" style={{ height }} />
      <figcaption>
        {series.map((one) => (
          <span key={one.label} className="chart-key">
            <i style={{ background: `var(${one.color})` }} />
            {one.label} <b>{lastOf(one, format)}</b>
          </span>
        ))}
      </figcaption>
    </figure>
  )
}

function lastOf({ values }: Series, format: ChartProps['format']): string {
  const last = values.at(-1)
  return last === undefined ? '–' : format(last)
}

const SPAN_MIN_SECONDS = 15

/** 1, 2, 4 … 512 of each unit. */
const BYTE_STEPS = Array.from({ length: 50 }, (_, power) => 2 ** power)

function optionsFor(
  element: HTMLElement,
  { series, format, inBytes, height }: Required<Omit<ChartProps, 'label' | 'atMs'>>,
): uPlot.Options {
  const style = getComputedStyle(element)
  const color = (name: string): string => style.getPropertyValue(name).trim()
  const font = '11px system-ui, sans-serif'
  const axis = {
    stroke: color('--text-dim'),
    font,
    grid: { stroke: color('--line'), width: 1 },
    ticks: { show: false },
  }
  return {
    width: Math.max(1, element.clientWidth),
    height,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 22, 0, 0],
    // A line that has just begun grows from the right, instead of stretching.
    scales: {
      x: { range: (_, min, max) => [Math.min(min, max - SPAN_MIN_SECONDS), max] },
      y: { range: (_, __, max) => [0, max <= 0 ? 1 : max * 1.1] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 22,
        space: 80,
        values: (_, ticks) => ticks.map((at) => new Date(at * 1_000).toLocaleTimeString('en-GB')),
      },
      {
        ...axis,
        size: 54,
        space: 32,
        ...(inBytes ? { incrs: BYTE_STEPS } : {}),
        values: (_, ticks) => ticks.map(format),
      },
    ],
    series: [
      {},
      ...series.map((one) => ({
        label: one.label,
        stroke: color(one.color),
        width: 1.6,
        points: { show: false },
        ...(one.dash === undefined ? {} : { dash: [...one.dash] }),
        ...(one.fill === true ? { fill: `${color(one.color)}22` } : {}),
      })),
    ],
  }
}
