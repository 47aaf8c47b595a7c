/** A number on the overview; it leads to the list that explains it. */
import { Link } from '@tanstack/react-router'

interface StatProps {
  readonly label: string
  readonly value: string
  readonly to: string
  readonly search?: Readonly<Record<string, string>>
  readonly hint?: string | undefined
}

export function Stat({ label, value, to, search, hint }: StatProps) {
  return (
    <Link className="stat" to={to} search={search ?? {}}>
      <span className="stat-label">{label}</span>
      <span className="stat-value">{value}</span>
      {hint !== undefined && <span className="stat-hint">{hint}</span>}
    </Link>
  )
}
