/** Goes anywhere by typing: pages at once, queues and connections as the server finds them. */
import { Modal, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { listConnections, listQueues } from '@ternmq/api'
import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, useId, useState } from 'react'
import { Icon, type IconName } from '../../components/icons.tsx'
import { formatCount } from '../../lib/format.ts'
import { useLook } from '../../lib/query.ts'
import { useReturnFocus } from '../../lib/return-focus.ts'
import { useMay, useMe } from '../../lib/session.tsx'
import { placesFor } from '../../navigation.ts'

const FOUND_MAX = 6

interface Hit {
  readonly key: string
  readonly icon: IconName
  readonly label: string
  readonly hint: string
  readonly to: string
  readonly params?: Readonly<Record<string, string>>
  readonly search?: Readonly<Record<string, string>>
}

interface PaletteProps {
  readonly text: string
  readonly onText: (text: string) => void
  readonly onClose: () => void
}

export function Palette({ text, onText, onClose }: PaletteProps) {
  useReturnFocus()
  const [at, setAt] = useState(0)
  const listId = useId()
  const navigate = useNavigate()
  const hits = useHits(text)
  const chosen = Math.min(at, hits.length - 1)
  const go = (hit: Hit | undefined): void => {
    if (hit === undefined) return
    onClose()
    void navigate({ to: hit.to, params: hit.params ?? {}, search: hit.search ?? {} })
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined && hits.length > 0) {
      event.preventDefault()
      setAt((chosen + step + hits.length) % hits.length)
    } else if (event.key === 'Enter') {
      event.preventDefault()
      go(hits[chosen])
    }
  }
  return (
    <Modal.Root opened onClose={onClose} centered={false} size="lg" padding={0} transitionProps={{ duration: 0 }}>
      <Modal.Overlay backgroundOpacity={0.4} />
      <Modal.Content aria-label="Go to or find">
        <TextInput
          className="palette-input"
          variant="unstyled"
          size="md"
          placeholder="Page, queue, client or action"
          leftSection={<Icon name="search" />}
          data-autofocus
          role="combobox"
          aria-label="Go to or find"
          aria-expanded
          aria-controls={listId}
          aria-activedescendant={hits.length === 0 ? undefined : `${listId}-${chosen}`}
          value={text}
          onChange={(event) => {
            onText(event.currentTarget.value)
            setAt(0)
          }}
          onKeyDown={onKeyDown}
        />
        <ul className="palette-list" role="listbox" id={listId} aria-label="Found">
          {hits.map((hit, index) => (
            <li
              key={hit.key}
              id={`${listId}-${index}`}
              role="option"
              aria-selected={index === chosen}
              onMouseMove={() => setAt(index)}
              onClick={() => go(hit)}
            >
              <Icon name={hit.icon} />
              <span className="palette-label">{hit.label}</span>
              <span className="palette-hint">{hit.hint}</span>
            </li>
          ))}
        </ul>
        {hits.length === 0 && <p className="palette-none">Nothing is called that.</p>}
      </Modal.Content>
    </Modal.Root>
  )
}

/** Things that can be begun from anywhere. */
const ACTIONS: ReadonlyArray<Omit<Hit, 'key'> & { readonly scope: 'read' | 'operate' | 'admin' | 'messages' }> = [
  {
    icon: 'plus',
    label: 'Create a queue',
    hint: 'Action',
    to: '/queues',
    search: { create: 'true' },
    scope: 'operate',
  },
  { icon: 'plus', label: 'Add a user', hint: 'Action', to: '/users', search: { create: 'true' }, scope: 'admin' },
  {
    icon: 'shield',
    label: 'May somebody do something?',
    hint: 'Action',
    to: '/permissions',
    search: { tab: 'test' },
    scope: 'admin',
  },
  {
    icon: 'dead',
    label: 'Unhealthy queues',
    hint: 'List',
    to: '/queues',
    search: { unhealthy: 'true' },
    scope: 'read',
  },
  {
    icon: 'dead',
    label: 'Unhealthy connections',
    hint: 'List',
    to: '/connections',
    search: { unhealthy: 'true' },
    scope: 'read',
  },
  { icon: 'download', label: 'Export definitions', hint: 'Action', to: '/definitions', scope: 'admin' },
]

function useHits(text: string): Hit[] {
  const { scopes } = useMe()
  const mayRead = useMay('read')
  const wanted = text.trim().toLowerCase()
  const [asked] = useDebouncedValue(wanted, 150)
  const look = { enabled: mayRead && asked !== '' }
  const query = { q: asked, limit: FOUND_MAX }
  const queues = useLook(listQueues, { query }, look).data
  const connections = useLook(listConnections, { query }, look).data
  const isWanted = ({ label }: { readonly label: string }): boolean => label.toLowerCase().includes(wanted)
  const pages = placesFor(scopes)
    .flatMap((group) => group.places)
    .map((place): Hit => ({
      key: place.to,
      icon: place.icon,
      label: place.label,
      hint: place.letter === undefined ? 'Page' : `g ${place.letter}`,
      to: place.to,
    }))
  const actions = ACTIONS.filter(({ scope }) => scopes.includes(scope)).map((action): Hit => ({
    key: action.label,
    ...action,
  }))
  const here = [...pages, ...actions].filter(isWanted)
  if (wanted === '' || asked === '') return here
  return [
    ...here,
    ...(queues?.items ?? []).map((queue): Hit => ({
      key: `queue ${queue.name}`,
      icon: 'queues',
      label: queue.name,
      hint: `Queue · ${formatCount(queue.readyCount)} ready`,
      to: '/queues/$queue',
      params: { queue: queue.name },
    })),
    ...(connections?.items ?? []).map((one): Hit => ({
      key: `connection ${one.id}`,
      icon: 'connections',
      label: one.clientId,
      hint: `${one.protocol} · ${one.user}`,
      to: '/connections/$id',
      params: { id: one.id },
    })),
  ]
}
