/** Says that the broker does not answer, since when, and what of what is shown is old; goes by itself when it answers again. */
import { Button } from '@mantine/core'
import { getMe } from '@ternmq/api'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useSyncExternalStore } from 'react'
import { call } from '../lib/api.ts'
import { connectionState, onConnectionState } from '../lib/connection-state.ts'
import { formatDuration, formatMoment } from '../lib/format.ts'
import { useNowMs } from '../lib/now.ts'
import { Icon } from './icons.tsx'

const PROBE_MS = 2_000

export function ConnectionBar() {
  const { lost, answeredAtMs } = useSyncExternalStore(onConnectionState, connectionState)
  const client = useQueryClient()
  useEffect(() => {
    if (!lost) return undefined
    const timer = setInterval(probe, PROBE_MS)
    return () => {
      clearInterval(timer)
      // It answers again: all that is shown is looked up anew.
      void client.invalidateQueries()
    }
  }, [lost, client])
  if (!lost) return null
  return (
    <div className="connection-bar" role="status">
      <Icon name="dead" />
      <span>
        The broker does not answer. What you see is from {formatMoment(answeredAtMs)} (<Since atMs={answeredAtMs} />{' '}
        old). Trying again.
      </span>
      <Button variant="default" size="compact-xs" onClick={probe}>
        Try now
      </Button>
    </div>
  )
}

/** Any answer will do, a refusal too: it tells the connection state. */
function probe(): void {
  void call(getMe).catch(() => undefined)
}

function Since({ atMs }: { readonly atMs: number }) {
  return formatDuration(Math.max(1_000, useNowMs() - atMs))
}
