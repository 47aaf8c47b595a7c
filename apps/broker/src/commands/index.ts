/** Every command. What a noun can is in a file of its own, which is loaded when it is asked for. */
import type { Noun } from '../cli/command.ts'

export interface NounEntry {
  readonly name: string
  readonly summary: string
  load(): Promise<Noun>
}

export const NOUNS: readonly NounEntry[] = [
  {
    name: 'start',
    summary: 'run a broker',
    load: async () => (await import('./start.ts')).start,
  },
  {
    name: 'status',
    summary: 'how the broker is: counts, rates, memory, disk, what is wrong',
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'destinations',
    summary: 'queues, and the subscriptions that have one: list, show, make, change, empty, delete',
    load: async () => (await import('./destinations.ts')).destinations,
  },
  {
    name: 'users',
    summary: 'who may log in: list, add, change, remove',
    load: async () => (await import('./users.ts')).users,
  },
  {
    name: 'resolve',
    summary: 'what an address means in a protocol, and how others write it',
    load: async () => (await import('./resolve.ts')).resolve,
  },
  {
    name: 'store',
    summary: 'messages and sessions on disk: inspect, verify, backup, restore',
    load: async () => (await import('./store.ts')).store,
  },
  {
    name: 'config',
    summary: 'settings: check, print and describe a configuration; see and change those of a broker that runs',
    load: async () => (await import('./config.ts')).config,
  },
  {
    name: 'version',
    summary: 'the version of this program',
    load: async () => (await import('./version.ts')).version,
  },
]
