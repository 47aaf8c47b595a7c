/** Which broker these pages are for, when they come from elsewhere, and whether both are of one version. */
import { getOverview } from '@ternmq/api'
import { BASE_PATH, PAGES_VERSION, REMOTE_URL } from '../lib/base.ts'
import { useLook } from '../lib/query.ts'
import { useMay } from '../lib/session.tsx'

/** Who has several consoles open must see which one he acts in. */
export function BrokerAddress() {
  if (REMOTE_URL === undefined) return null
  return (
    <span className="broker-address" title={`The broker at ${REMOTE_URL}`}>
      {REMOTE_URL.replace(/^https?:\/\//, '')}
    </span>
  )
}

export function VersionNote() {
  const mayRead = useMay('read')
  const { data } = useLook(getOverview, {}, { enabled: mayRead })
  const version = data?.node.version
  if (version === undefined || PAGES_VERSION === '' || version === PAGES_VERSION) return null
  return (
    <div className="version-note" role="note">
      {REMOTE_URL === undefined ? (
        <>
          The broker is TernMQ {version} by now, these pages are of {PAGES_VERSION}:{' '}
          <a href={BASE_PATH}>load the console anew</a>.
        </>
      ) : (
        <>
          These pages are of TernMQ {PAGES_VERSION}, the broker is {version}. What only one of them knows is missing
          here or refused; <code>ternmq console</code> of its version has all.
        </>
      )}
    </div>
  )
}
