/** What went in and out, the newest first. */
import { hexDump } from '@ternmq/api'
import { Mark } from '../../components/marks.tsx'
import { formatBytes, formatMoment } from '../../lib/format.ts'
import type { TryEntry } from './use-try.ts'

export function TryLog({ entries }: { readonly entries: readonly TryEntry[] }) {
  return (
    <ul className="plain-list try-log" aria-label="Messages in and out" aria-live="polite">
      {entries.map((entry) => (
        <li key={entry.id}>
          <div className="row">
            <Mark tone={entry.direction === 'in' ? 'good' : 'accent'}>{entry.direction}</Mark>
            <code>{entry.address}</code>
            <span className="dim small">
              {formatMoment(entry.atMs)}, {formatBytes(entry.body.length)}
            </span>
          </div>
          <pre className="try-body">{bodyText(entry.body)}</pre>
          {entry.details.length > 0 && (
            <div className="dim small">{entry.details.map(([name, value]) => `${name}: ${value}`).join(' · ')}</div>
          )}
        </li>
      ))}
    </ul>
  )
}

function bodyText(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    return hexDump(body.subarray(0, 1_024)) // bytes that are no text
  }
}
