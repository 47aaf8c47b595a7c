/** The course of one number in a row of a table. */

const WIDTH = 72
const HEIGHT = 18

export function Sparkline({ values, label }: { readonly values: readonly number[]; readonly label: string }) {
  if (values.length < 2) return null
  return (
    <svg
      className="sparkline"
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={label}
    >
      <path
        d={sparklinePath(values, WIDTH, HEIGHT)}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.25"
        strokeLinejoin="round"
      />
    </svg>
  )
}

/** From the left to the right edge; the lowest value at the bottom. When all are the same a line in the middle, of nothing at the bottom. */
export function sparklinePath(values: readonly number[], width: number, height: number): string {
  const least = Math.min(...values)
  const span = Math.max(...values) - least
  const step = width / (values.length - 1)
  return values
    .map((value, index) => {
      const y = span === 0 && least > 0 ? height / 2 : height - 1.5 - ((value - least) / (span || 1)) * (height - 3)
      return `${index === 0 ? 'M' : 'L'}${(index * step).toFixed(1)} ${y.toFixed(1)}`
    })
    .join('')
}
