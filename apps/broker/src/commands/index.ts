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
    name: 'top',
    summary: 'a live screen: rates, queues with most to do, connections',
    load: async () => (await import('./top.ts')).top,
  },
  {
    name: 'console',
    summary: 'the pages of the console from this machine, for a broker elsewhere',
    load: async () => (await import('./console.ts')).consoleAlone,
  },
  {
    name: 'destinations',
    summary: 'queues, and the subscriptions that have one: list, show, create, set, pause, purge, delete',
    load: async () => (await import('./destinations.ts')).destinations,
  },
  {
    name: 'consumers',
    summary: 'who reads from which queue',
    load: async () => (await import('./consumers.ts')).consumers,
  },
  {
    name: 'messages',
    summary: 'what is in queues: browse, show, publish, take, move, copy, delete, purge',
    load: async () => (await import('./messages.ts')).messages,
  },
  {
    name: 'dlq',
    summary: 'what could not be delivered: list by cause, retry, delete',
    load: async () => (await import('./dead-letters.ts')).deadLetters,
  },
  {
    name: 'schedules',
    summary: 'messages that are to be sent later, or again and again: list, cancel',
    load: async () => (await import('./schedules.ts')).schedules,
  },
  {
    name: 'topics',
    summary: 'topics that have subscriptions or a retained message, one level at a time',
    load: async () => (await import('./topics.ts')).topics,
  },
  {
    name: 'retained',
    summary: 'messages that topics keep for who subscribes next: list, show, delete',
    load: async () => (await import('./retained.ts')).retained,
  },
  {
    name: 'connections',
    summary: 'who is connected, and why others have left: list, show, close, history',
    load: async () => (await import('./connections.ts')).connections,
  },
  {
    name: 'sessions',
    summary: 'what is kept for clients, connected or not: list, show, delete',
    load: async () => (await import('./sessions.ts')).sessions,
  },
  {
    name: 'subscriptions',
    summary: 'who has subscribed to what, or who would get a message of a topic',
    load: async () => (await import('./subscriptions.ts')).subscriptions,
  },
  {
    name: 'users',
    summary: 'who may log in: list, add, passwd, set, remove',
    load: async () => (await import('./users.ts')).users,
  },
  {
    name: 'tokens',
    summary: 'logins of scripts to the API: list, create, remove',
    load: async () => (await import('./tokens.ts')).tokens,
  },
  {
    name: 'permissions',
    summary: 'who may read, write, browse and administer which destinations: list, set, remove',
    load: async () => (await import('./permissions.ts')).permissions,
  },
  {
    name: 'can',
    summary: 'whether a user may do something with an address, and which rule says so',
    load: async () => (await import('./can.ts')).can,
  },
  {
    name: 'policies',
    summary: 'settings of queues by pattern: list, preview, set, remove',
    load: async () => (await import('./policies.ts')).policies,
  },
  {
    name: 'definitions',
    summary: 'users, permissions, policies and queues as one document: export, plan, apply',
    load: async () => (await import('./definitions.ts')).definitions,
  },
  {
    name: 'config',
    summary: 'settings of a configuration, and of a broker that runs: check, print, schema, list, set, reset',
    load: async () => (await import('./config.ts')).config,
  },
  {
    name: 'store',
    summary: 'messages and sessions on disk: inspect, verify, backup, restore',
    load: async () => (await import('./store.ts')).store,
  },
  {
    name: 'events',
    summary: 'what happened to clients, the newest last: who came, was refused, or left, and why',
    load: async () => (await import('./events.ts')).events,
  },
  {
    name: 'audit',
    summary: 'logins, refusals and every change that was made, the newest first',
    load: async () => (await import('./audit.ts')).audit,
  },
  {
    name: 'operations',
    summary: 'long work, such as moves of many messages: list, show, cancel, resume',
    load: async () => (await import('./operations.ts')).operations,
  },
  {
    name: 'resolve',
    summary: 'what an address means in a protocol, and how others write it',
    load: async () => (await import('./resolve.ts')).resolve,
  },
  {
    name: 'completion',
    summary: 'what a shell needs to complete commands: bash, zsh, fish',
    load: async () => (await import('./completion.ts')).completion,
  },
  {
    name: 'version',
    summary: 'the version of this program',
    load: async () => (await import('./version.ts')).version,
  },
]
