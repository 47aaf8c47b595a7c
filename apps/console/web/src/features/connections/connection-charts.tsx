/** The course of one connection while its page is open. */
import type { ConnectionSample } from '@ternmq/api'
import { useMemo, useState } from 'react'
import { Chart } from '../../components/chart.tsx'
import { Panel } from '../../components/page.tsx'
import { formatBytes, formatShort } from '../../lib/format.ts'
import { useStream } from '../../lib/stream.ts'
import { mergeSamples } from '../overview/samples.ts'

export function ConnectionCharts({ id }: { readonly id: string }) {
  const [samples, setSamples] = useState<readonly ConnectionSample[]>([])
  useStream(`connection:${encodeURIComponent(id)}`, (event) => {
    if (event.kind === 'connection' && event.data.connection === id)
      setSamples((before) => mergeSamples(before, [event.data]))
  })
  const columns = useMemo(
    () => ({
      atMs: samples.map(({ atMs }) => atMs),
      in: samples.map((sample) => sample.messagesInPerSecond),
      out: samples.map((sample) => sample.messagesOutPerSecond),
      bytesIn: samples.map((sample) => sample.bytesInPerSecond),
      bytesOut: samples.map((sample) => sample.bytesOutPerSecond),
      pending: samples.map((sample) => sample.pendingBytes),
    }),
    [samples],
  )
  return (
    <div className="grid-2">
      <Panel title="Messages a second">
        <Chart
          label="Messages a second"
          atMs={columns.atMs}
          format={formatShort}
          height={110}
          series={[
            { label: 'received', color: '--chart-in', values: columns.in, fill: true },
            { label: 'sent', color: '--chart-out', values: columns.out, dash: [8, 4] },
          ]}
        />
      </Panel>
      <Panel title="Bytes a second">
        <Chart
          label="Bytes a second"
          atMs={columns.atMs}
          format={formatBytes}
          inBytes
          height={110}
          series={[
            { label: 'received', color: '--chart-in', values: columns.bytesIn, fill: true },
            { label: 'sent', color: '--chart-out', values: columns.bytesOut, dash: [8, 4] },
            { label: 'unsent', color: '--chart-other', values: columns.pending },
          ]}
        />
      </Panel>
    </div>
  )
}
