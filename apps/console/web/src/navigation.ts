/** The pages that the navigation leads to: with the letter that goes there after `g`, and who may see them. */
import type { Needs } from '@ternmq/api'
import type { IconName } from './components/icons.tsx'

export interface Place {
  readonly to: string
  readonly label: string
  readonly icon: IconName
  /** Pressed after `g`. */
  readonly letter?: string
  readonly needs: Exclude<Needs, 'nobody'>
}

export interface PlaceGroup {
  readonly label: string
  readonly places: readonly Place[]
}

export const PLACES: readonly PlaceGroup[] = [
  {
    label: 'Broker',
    places: [
      { to: '/', label: 'Overview', icon: 'overview', letter: 'o', needs: 'read' },
      { to: '/listeners', label: 'Listeners', icon: 'listeners', letter: 'l', needs: 'read' },
      { to: '/events', label: 'Events', icon: 'events', letter: 'e', needs: 'read' },
    ],
  },
  {
    label: 'Messages',
    places: [
      { to: '/queues', label: 'Queues', icon: 'queues', letter: 'q', needs: 'read' },
      { to: '/consumers', label: 'Consumers', icon: 'down', needs: 'read' },
      { to: '/topics', label: 'Topics', icon: 'topics', letter: 't', needs: 'read' },
      { to: '/dead-letters', label: 'Dead letters', icon: 'dead', letter: 'd', needs: 'read' },
      { to: '/schedules', label: 'Schedules', icon: 'clock', needs: 'read' },
      { to: '/operations', label: 'Operations', icon: 'play', needs: 'read' },
    ],
  },
  {
    label: 'Clients',
    places: [
      { to: '/connections', label: 'Connections', icon: 'connections', letter: 'c', needs: 'read' },
      { to: '/ended', label: 'Ended connections', icon: 'close', letter: 'x', needs: 'read' },
      { to: '/sessions', label: 'Sessions', icon: 'sessions', letter: 's', needs: 'read' },
      { to: '/subscriptions', label: 'Subscriptions', icon: 'messages', needs: 'read' },
    ],
  },
  {
    label: 'Access',
    places: [
      { to: '/users', label: 'Users', icon: 'users', letter: 'u', needs: 'admin' },
      { to: '/permissions', label: 'Permissions', icon: 'shield', letter: 'p', needs: 'admin' },
      { to: '/tokens', label: 'Tokens', icon: 'key', needs: 'user' },
      { to: '/audit', label: 'Audit', icon: 'audit', letter: 'a', needs: 'admin' },
    ],
  },
  {
    label: 'Settings',
    places: [
      { to: '/policies', label: 'Policies', icon: 'policy', needs: 'read' },
      { to: '/definitions', label: 'Definitions', icon: 'file', needs: 'admin' },
      { to: '/config', label: 'Configuration', icon: 'gear', needs: 'read' },
      { to: '/store', label: 'Store', icon: 'disk', needs: 'read' },
    ],
  },
  {
    label: 'Tools',
    places: [
      { to: '/try', label: 'Try it', icon: 'terminal', letter: 'y', needs: 'user' },
      { to: '/resolve', label: 'Addresses', icon: 'search', needs: 'read' },
      { to: '/reference', label: 'API', icon: 'api', needs: 'user' },
    ],
  },
]

/** Those that somebody with these scopes may see; groups that would be empty are left out. */
export function placesFor(scopes: readonly string[]): PlaceGroup[] {
  const may = ({ needs }: Place): boolean => needs === 'user' || scopes.includes(needs)
  return PLACES.map(({ label, places }) => ({ label, places: places.filter(may) })).filter(
    ({ places }) => places.length > 0,
  )
}

/** What somebody needs for the page at `path`, which is as in pages.ts: `/queues/$queue` belongs to `/queues`. */
export function needsOf(path: string): Place['needs'] {
  const places = PLACES.flatMap((group) => group.places)
  return places.find(({ to }) => path === to || (to !== '/' && path.startsWith(`${to}/`)))?.needs ?? 'user'
}
