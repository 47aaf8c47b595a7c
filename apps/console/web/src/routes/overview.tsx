/** The broker at a glance: what is wrong first, then how much flows, waits and is held. */
import { getOverview, type Overview } from '@ternmq/api'
import { Link } from '@tanstack/react-router'
import { useMemo } from 'react'
import { Chart } from '../components/chart.tsx'
import { countColumn } from '../components/columns.tsx'
import { type Column, DataTable } from '../components/data-table.tsx'
import { Facts } from '../components/facts.tsx'
import { Icon } from '../components/icons.tsx'
import { Mark } from '../components/marks.tsx'
import { Page, Panel } from '../components/page.tsx'
import { LookProblem } from '../components/problem-view.tsx'
import { Stat } from '../components/stat.tsx'
import { useOverviewSamples } from '../features/overview/samples.ts'
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatMany,
  formatMoment,
  formatProtocol,
  formatRate,
  formatShare,
  formatShort,
} from '../lib/format.ts'
import { useNowMs } from '../lib/now.ts'
import { useLook } from '../lib/query.ts'
import { useIsLive } from '../lib/stream.ts'

const OVERVIEW_MS = 2_000

export function OverviewPage() {
  const look = useLook(getOverview, {}, { everyMs: OVERVIEW_MS })
  const { data } = look
  const isLive = useIsLive()
  return (
    <Page
      title="Overview"
      marks={
        isLive ? (
          <Mark tone="good">live</Mark>
        ) : (
          <Mark tone="warn" hint="The stream of live data is not open; numbers come every two seconds.">
            not live
          </Mark>
        )
      }
      about={data === undefined ? undefined : <NodeLine overview={data} />}
    >
      <LookProblem of={look} />
      {data !== undefined && (
        <>
          <Alarms overview={data} />
          <Counts overview={data} />
        </>
      )}
      <Charts />
      {data !== undefined && <Parts overview={data} />}
    </Page>
  )
}

function NodeLine({ overview: { node } }: { readonly overview: Overview }) {
  const nowMs = useNowMs()
  return (
    <>
      TernMQ {node.version} on {node.hostName}, up for{' '}
      <span title={`since ${formatMoment(node.startedAtMs)}`}>{formatDuration(nowMs - node.startedAtMs)}</span>. Node{' '}
      {node.node}, {node.platform}, process {node.pid}.
    </>
  )
}

function Alarms({ overview }: { readonly overview: Overview }) {
  if (overview.alarms.length === 0) return null
  return (
    <ul className="alarms" aria-label="Alarms">
      {overview.alarms.map((alarm) => {
        const [path, query = ''] = alarm.link.split('?') as [string, string?]
        return (
          <li key={alarm.id} data-severity={alarm.severity}>
            <Icon name="dead" />
            <span>{alarm.text}</span>
            <Link to={path} search={Object.fromEntries(new URLSearchParams(query))}>
              Show
            </Link>
          </li>
        )
      })}
    </ul>
  )
}

function Counts({ overview: { counts, readyCount, inflightCount, rates } }: { readonly overview: Overview }) {
  return (
    <div className="stats">
      <Stat
        label="In"
        value={formatRate(rates?.inPerSecond)}
        hint={rates && `${formatBytes(rates.bytesInPerSecond)}/s`}
        to="/connections"
        search={{ sort: '-messagesInPerSecond' }}
      />
      <Stat
        label="Out"
        value={formatRate(rates?.outPerSecond)}
        hint={rates && `${formatBytes(rates.bytesOutPerSecond)}/s`}
        to="/connections"
        search={{ sort: '-messagesOutPerSecond' }}
      />
      <Stat
        label="Ready"
        value={formatShort(readyCount)}
        hint={formatMany(counts.queues, 'queue')}
        to="/queues"
        search={{ sort: '-readyCount' }}
      />
      <Stat
        label="In flight"
        value={formatShort(inflightCount)}
        hint={formatMany(counts.consumers, 'consumer')}
        to="/queues"
        search={{ sort: '-inflightCount' }}
      />
      <Stat label="Connections" value={formatShort(counts.connections)} to="/connections" />
      <Stat label="Sessions" value={formatShort(counts.sessions)} to="/sessions" />
      <Stat label="Subscriptions" value={formatShort(counts.subscriptions)} to="/subscriptions" />
      <Stat
        label="Retained"
        value={formatShort(counts.retained)}
        hint={formatMany(counts.schedules, 'schedule')}
        to="/topics"
      />
    </div>
  )
}

function Charts() {
  const samples = useOverviewSamples()
  const columns = useMemo(
    () => ({
      atMs: samples.map((sample) => sample.atMs),
      in: samples.map(({ rates }) => rates?.inPerSecond),
      out: samples.map(({ rates }) => rates?.outPerSecond),
      settled: samples.map(({ rates }) => rates?.settledPerSecond),
      ready: samples.map((sample) => sample.readyCount),
      inflight: samples.map((sample) => sample.inflightCount),
      connections: samples.map((sample) => sample.connections),
      rss: samples.map((sample) => sample.rssBytes),
      cpu: samples.map((sample) => sample.cpuShare),
    }),
    [samples],
  )
  const { atMs } = columns
  return (
    <>
      <div className="grid-2">
        <Panel title="Messages a second">
          <Chart
            label="Messages a second"
            atMs={atMs}
            format={formatShort}
            series={[
              { label: 'in', color: '--chart-in', values: columns.in, fill: true },
              { label: 'out', color: '--chart-out', values: columns.out, dash: [8, 4] },
              { label: 'settled', color: '--chart-settled', values: columns.settled, dash: [4, 8] },
            ]}
          />
        </Panel>
        <Panel title="Messages held">
          <Chart
            label="Messages held"
            atMs={atMs}
            format={formatShort}
            series={[
              { label: 'ready', color: '--chart-in', values: columns.ready, fill: true },
              { label: 'in flight', color: '--chart-out', values: columns.inflight },
            ]}
          />
        </Panel>
      </div>
      <div className="grid-3">
        <Panel title="Connections">
          <Chart
            label="Connections"
            atMs={atMs}
            format={formatShort}
            height={90}
            series={[{ label: 'connections', color: '--chart-other', values: columns.connections, fill: true }]}
          />
        </Panel>
        <Panel title="Memory of the process">
          <Chart
            label="Memory of the process"
            atMs={atMs}
            format={formatBytes}
            inBytes
            height={90}
            series={[{ label: 'resident', color: '--chart-settled', values: columns.rss, fill: true }]}
          />
        </Panel>
        <Panel title="Processor">
          <Chart
            label="Processor"
            atMs={atMs}
            format={formatShare}
            height={90}
            series={[{ label: 'of one core', color: '--chart-out', values: columns.cpu, fill: true }]}
          />
        </Panel>
      </div>
    </>
  )
}

/** Those whose clients stay connected: the rest has no list to lead to. */
const CONNECTED: ReadonlySet<string> = new Set(['mqtt', 'stomp', 'amqp'])

const PROTOCOL_COLUMNS: ReadonlyArray<Column<Overview['byProtocol'][number]>> = [
  {
    key: 'protocol',
    label: 'Protocol',
    width: 12,
    render: ({ protocol }) =>
      CONNECTED.has(protocol) ? (
        <Link to="/connections" search={{ protocol }}>
          {formatProtocol(protocol)}
        </Link>
      ) : (
        formatProtocol(protocol)
      ),
  },
  countColumn('connections', 'Connections'),
  { key: 'in', label: 'In', width: 7, align: 'right', render: (row) => formatRate(row.rates?.inPerSecond) },
  { key: 'out', label: 'Out', width: 7, align: 'right', render: (row) => formatRate(row.rates?.outPerSecond) },
  { key: 'received', label: 'Received', width: 8, align: 'right', render: (row) => formatShort(row.totals.messagesIn) },
  { key: 'sent', label: 'Sent', width: 7, align: 'right', render: (row) => formatShort(row.totals.messagesOut) },
]

function Parts({ overview }: { readonly overview: Overview }) {
  const { memory, disk, eventLoop, totals, byProtocol } = overview
  return (
    <div className="grid-2">
      <Panel title="Protocols" flush>
        <DataTable
          label="Protocol by protocol"
          columns={PROTOCOL_COLUMNS}
          rows={byProtocol}
          keyOf={(row) => row.protocol}
        />
      </Panel>
      <Panel title="Resources">
        <div className="stack">
          <Meter
            label="Waiting messages in memory"
            used={memory.waitingBytes}
            max={memory.waitingBytesMax}
            to="/config"
            search={{ q: 'waitingBytesMax' }}
          />
          {disk.engine === 'journal' && (
            <Meter
              label="Store on disk"
              used={disk.usedBytes}
              max={disk.maxBytes > 0 ? disk.maxBytes : disk.usedBytes + (disk.freeBytes ?? 0)}
              to="/store"
              search={{}}
            />
          )}
          <Facts
            facts={[
              ['Memory', `${formatBytes(memory.rssBytes)} resident, ${formatBytes(memory.heapBytes)} heap`],
              ['Persistent messages survive', disk.durability],
              disk.engine === 'memory' && ['Store', <Link to="/store">in memory</Link>],
              [
                'Event loop late by',
                `${eventLoop.p50Ms.toFixed(1)} ms, one in a hundred ${eventLoop.p99Ms.toFixed(1)} ms`,
              ],
              ['Event loop busy', formatShare(eventLoop.utilization)],
            ]}
          />
        </div>
      </Panel>
      <Panel title="Since the start">
        <Facts
          facts={[
            ['Received', formatCount(totals.messagesIn)],
            ['Sent', formatCount(totals.messagesOut)],
            ['Settled', formatCount(totals.settled)],
            ['Redelivered', formatCount(totals.redelivered)],
            ['Dead-lettered', <Link to="/dead-letters">{formatCount(totals.deadLettered)}</Link>],
            ['Expired', formatCount(totals.expired)],
            ['Dropped', formatCount(totals.dropped)],
            ['Wanted by nobody', formatCount(totals.unmatched)],
            ['Refused', <Link to="/events">{formatCount(totals.refused)}</Link>],
          ]}
        />
      </Panel>
    </div>
  )
}

interface MeterProps {
  readonly label: string
  readonly used: number
  readonly max: number
  readonly to: string
  readonly search: Readonly<Record<string, string>>
}

function Meter({ label, used, max, to, search }: MeterProps) {
  const share = max <= 0 ? 0 : Math.min(1, used / max)
  return (
    <div>
      <div className="row" style={{ justifyContent: 'space-between' }}>
        <Link to={to} search={search}>
          {label}
        </Link>
        <span className="dim">
          {formatBytes(used)} of {formatBytes(max)}
        </span>
      </div>
      <div
        className="meter"
        data-high={share > 0.8 || undefined}
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share * 100)}
      >
        <i style={{ width: `${share * 100}%` }} />
      </div>
    </div>
  )
}
