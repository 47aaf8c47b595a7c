/**
 * What things are called here, for words that people bring from elsewhere. They are hints and no second names: a command has one name.
 */

/** Nouns by the word that is tried. */
export const OTHER_NOUNS: ReadonlyMap<string, string> = asMap({
  queue: 'destinations',
  queues: 'destinations',
  purge: 'destinations',
  message: 'messages',
  publish: 'messages',
  send: 'messages',
  take: 'messages',
  receive: 'messages',
  consume: 'messages',
  browse: 'messages',
  'dead-letters': 'dlq',
  client: 'connections',
  clients: 'connections',
  acl: 'permissions',
  acls: 'permissions',
  bindings: 'subscriptions',
  settings: 'config',
  backup: 'store',
  restore: 'store',
  export: 'definitions',
  import: 'definitions',
  run: 'start',
  serve: 'start',
  server: 'start',
  info: 'status',
  health: 'status',
  stats: 'status',
  log: 'events',
  logs: 'events',
  password: 'users',
  passwd: 'users',
})

/** Verbs by the word that is tried: the first of them that the noun has. */
export const OTHER_VERBS: ReadonlyMap<string, readonly string[]> = asMap({
  ls: ['list'],
  get: ['show', 'list'],
  show: ['list', 'print'],
  info: ['show', 'inspect'],
  describe: ['show', 'schema'],
  rm: ['remove', 'delete', 'cancel'],
  del: ['delete', 'remove', 'cancel'],
  delete: ['remove', 'cancel', 'reset'],
  remove: ['delete', 'cancel', 'reset'],
  unset: ['reset'],
  add: ['create', 'set'],
  make: ['create', 'add', 'set'],
  new: ['create', 'add', 'set'],
  create: ['add', 'set'],
  put: ['set', 'publish'],
  change: ['set'],
  update: ['set'],
  edit: ['set'],
  empty: ['purge'],
  clear: ['purge', 'delete'],
  peek: ['browse'],
  send: ['publish'],
  receive: ['take'],
  consume: ['take'],
  kill: ['close'],
  disconnect: ['close'],
  stop: ['pause', 'cancel'],
  import: ['apply'],
  dump: ['export', 'print'],
  password: ['passwd'],
})

/** What is typed may be called as something that every object has. */
function asMap<T>(words: Readonly<Record<string, T>>): ReadonlyMap<string, T> {
  return new Map(Object.entries(words))
}
