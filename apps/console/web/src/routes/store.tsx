/** What is on disk, and how long commits take. */
import { getStore } from '@ternmq/api'
import { Facts } from '../components/facts.tsx'
import { ProblemMark } from '../components/marks.tsx'
import { Page, Panel } from '../components/page.tsx'
import { LookProblem } from '../components/problem-view.tsx'
import { formatBytes, formatCount, formatDuration, formatMany, formatShare } from '../lib/format.ts'
import { useLook } from '../lib/query.ts'

const STORE_MS = 3_000

export function StorePage() {
  const look = useLook(getStore, {}, { everyMs: STORE_MS })
  const { data } = look
  return (
    <Page
      title="Store"
      about={
        data?.problem === undefined ? (
          'What lasts: messages, sessions, subscriptions, definitions.'
        ) : (
          <ProblemMark problem={data.problem} />
        )
      }
    >
      <LookProblem of={look} />
      {data !== undefined && (
        <div className="grid-2">
          <Panel title="On disk">
            <Facts
              facts={[
                ['Engine', data.engine],
                ['Folder', data.folder === '' ? 'none' : <span className="mono">{data.folder}</span>],
                ['On disk', formatBytes(data.diskBytes)],
                [
                  'Of it live',
                  data.diskBytes === 0
                    ? formatBytes(data.liveBytes)
                    : `${formatBytes(data.liveBytes)}, ${formatShare(data.liveBytes / data.diskBytes)}`,
                ],
                ['Segments', formatCount(data.segmentCount)],
                data.freeBytes !== undefined && ['Free on the disk', formatBytes(data.freeBytes)],
                ['It can promise', data.durabilities.join(', ')],
              ]}
            />
          </Panel>
          <Panel title="Commits">
            <Facts
              facts={[
                ['Since the start', `${formatMany(data.commits.count, 'commit')}, ${formatBytes(data.commits.bytes)}`],
                ['Half of them within', formatDuration(data.commits.p50Ms)],
                ['99 of 100 within', formatDuration(data.commits.p99Ms)],
                ['The longest', formatDuration(data.commits.maxMs)],
              ]}
            />
          </Panel>
        </div>
      )}
    </Page>
  )
}
