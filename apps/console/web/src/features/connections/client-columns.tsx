/** Who a row is about: columns of every list of clients. */
import { Link } from '@tanstack/react-router'
import type { Column } from '../../components/data-table.tsx'
import { Mark } from '../../components/marks.tsx'

/** Leads to what the broker keeps of the client, connected or not. */
export const SESSION_COLUMN: Column<{ readonly clientId: string }> = {
  key: 'client',
  label: 'Client',
  render: ({ clientId }) => (
    <Link to="/sessions/$clientId" params={{ clientId }} title={clientId}>
      {clientId}
    </Link>
  ),
}

export const CONNECTED_COLUMN: Column<{ readonly connected: boolean }> = {
  key: 'state',
  label: 'State',
  width: 11,
  render: ({ connected }) => <ConnectedMark connected={connected} />,
}

export function ConnectedMark({ connected }: { readonly connected: boolean }) {
  return connected ? <Mark tone="good">connected</Mark> : <Mark>away</Mark>
}

interface ConnectionLinkProps {
  /** Undefined when the client is away. */
  readonly id: string | undefined
  readonly clientId: string
}

export function ConnectionLink({ id, clientId }: ConnectionLinkProps) {
  const name = clientId === '' ? '(without a client id)' : clientId
  if (id === undefined) return <span title={name}>{name}</span>
  return (
    <Link to="/connections/$id" params={{ id }} title={name}>
      {name}
    </Link>
  )
}

/** Why a client left or was refused, and the clause of the specification that says so. */
export function Why({ reason, clause }: { readonly reason: string; readonly clause: string }) {
  return (
    <span title={reason}>
      {reason} {clause !== '' && <code className="dim">[{clause}]</code>}
    </span>
  )
}
