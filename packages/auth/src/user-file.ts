/**
 * Users in one JSON file: `{"version":3,"decoySecret":"…","removed":["name",…],"users":[…]}`, one user per line, mode 0600. `removed` are names
 * of users that are gone and of whom a broker may still keep something; version 2 had none, version 1 no groups and roles either. Every change
 * writes a new file beside it, syncs it, renames it over the old one and syncs the directory: a crash leaves the old
 * users or the new ones. One process at a time may use the file; the broker's lock on its data directory sees to that.
 */
import { randomBytes } from 'node:crypto'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Cancel } from '@ternmq/core'
import { AuthError } from './errors.ts'
import { jsonErrorOffset, lineAndColumn } from './json-position.ts'
import { REMOVED_NAMES_MAX, USERS_FILE_BYTES_MAX, USERS_MAX, USER_CHANGES_WAITING_MAX } from './limits.ts'
import { fromBase64, toBase64, utf8Text } from './scram-verifier.ts'
import { MemoryUserStore, changesIn, checkUserRecord, forgettings } from './users.ts'
import type { MakeChange, UserChange, UserRecord, UserRecordChange, UserStore } from './users.ts'

/** What is written. Those since the first are read. */
const VERSION = 3
const VERSIONS_READ: readonly unknown[] = [1, 2, VERSION]
const DECOY_SECRET_BYTES = 32

/** What the store does to the disk, so that a test can fail each step. */
export interface UserFileSystem {
  readonly open: typeof open
  readonly rename: typeof rename
  readonly rm: typeof rm
}

/** Users that are checked, written or told of in one turn: the file may have very many. */
const USERS_PER_TURN = 256

interface WaitingChange {
  /** All of them or none. */
  readonly makes: readonly MakeChange[]
  readonly resolve: (isChanged: boolean) => void
  readonly reject: (error: unknown) => void
}

export class FileUserStore implements UserStore {
  readonly path: string
  readonly #fs: UserFileSystem
  readonly #users: MemoryUserStore
  readonly #waiting: WaitingChange[] = []
  #isWriting = false

  private constructor(path: string, users: MemoryUserStore, fs: UserFileSystem) {
    this.path = path
    this.#users = users
    this.#fs = fs
  }

  /** Reads the file; a missing one means no users yet. Throws AuthError naming file, position and what to do. */
  static async open(path: string, fs: UserFileSystem = { open, rename, rm }): Promise<FileUserStore> {
    const text = await readUsersFile(path)
    const users =
      text === undefined ? new MemoryUserStore([], randomBytes(DECOY_SECRET_BYTES)) : parseUsersFile(path, text)
    return new FileUserStore(path, users, fs)
  }

  get decoySecret(): Uint8Array {
    return this.#users.decoySecret
  }

  get(name: string): UserRecord | undefined {
    return this.#users.get(name)
  }

  list(): readonly UserRecord[] {
    return this.#users.list()
  }

  onChange(listener: (change: UserChange) => void): Cancel {
    return this.#users.onChange(listener)
  }

  async put(record: UserRecord): Promise<void> {
    await this.#change(changesIn([record], []))
  }

  remove(name: string): Promise<boolean> {
    return this.#change(changesIn([], [name]))
  }

  get removedNames(): readonly string[] {
    return this.#users.removedNames
  }

  async forgetRemoved(names: readonly string[]): Promise<void> {
    await this.#change(forgettings(names))
  }

  /** In memory they change so many in each turn, once the file has all of them. */
  async change(put: readonly UserRecord[], removed: readonly string[]): Promise<void> {
    await this.#change(changesIn(put, removed))
  }

  /** False when there is nothing to change. */
  #change(makes: WaitingChange['makes']): Promise<boolean> {
    if (this.#waiting.length >= USER_CHANGES_WAITING_MAX) {
      const problem = `${USER_CHANGES_WAITING_MAX} changes are waiting for the disk; the user was not changed: try again`
      return Promise.reject(new AuthError('AUTH_USERS_BUSY', `${this.path}: ${problem}`))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ makes, resolve, reject })
      if (!this.#isWriting) void this.#writeWaiting() // whoever asked for a change gets the error
    })
  }

  /** Those that wait go to the disk together: a file for each would make a thousand users wait for a thousand files. */
  async #writeWaiting(): Promise<void> {
    this.#isWriting = true
    await Promise.resolve() // those of the same turn come with it
    while (this.#waiting.length > 0) await this.#writeBatch(this.#waiting.splice(0))
    this.#isWriting = false
  }

  async #writeBatch(batch: readonly WaitingChange[]): Promise<void> {
    // Each sees the result of the one before.
    let next = this.#users.copy()
    const changes: UserRecordChange[] = []
    const changing: WaitingChange[] = []
    for (const waiting of batch) {
      const before = waiting.makes.length > 1 ? next.copy() : undefined
      try {
        const made = await makeAll(waiting.makes, next)
        if (made.length === 0) waiting.resolve(false)
        else {
          changes.push(...made)
          changing.push(waiting)
        }
      } catch (error) {
        if (before !== undefined) next = before
        waiting.reject(error)
      }
    }
    if (changes.length === 0) return
    const applyAll = async (): Promise<void> => {
      for await (const part of inTurns(changes)) for (const change of part) this.#users.apply(change)
    }
    try {
      if (changes.every((change) => mayWait(change, next))) await applyAll()
      else await this.#replaceFile(next, applyAll)
      for (const { resolve } of changing) resolve(true)
    } catch (error) {
      for (const { reject } of changing) reject(error)
    }
  }

  /** `onReplaced` runs once the name stands for the new content: from then on memory must agree with the file. */
  async #replaceFile(users: MemoryUserStore, onReplaced: () => Promise<void>): Promise<void> {
    const newPath = `${this.path}.new`
    try {
      await this.#fs.rm(newPath, { force: true }) // left over from a crash
      const file = await this.#fs.open(newPath, 'wx', 0o600)
      try {
        await file.writeFile(formatUsersFile(users))
        await file.sync()
      } finally {
        await file.close()
      }
      await this.#fs.rename(newPath, this.path)
    } catch (cause) {
      await this.#fs.rm(newPath, { force: true }).catch(() => undefined) // the first error is the one to report
      throw new AuthError(
        'AUTH_USERS_UNWRITABLE',
        `cannot write ${this.path}: ${messageOf(cause)}; the users are as before`,
        { cause },
      )
    }
    await onReplaced()
    await this.#syncDirectory()
  }

  async #syncDirectory(): Promise<void> {
    try {
      const directory = await this.#fs.open(dirname(this.path), 'r')
      try {
        await directory.sync()
      } finally {
        await directory.close()
      }
    } catch (cause) {
      const problem =
        'the change is made but may be lost if the machine loses power now: make it again once the disk is well'
      throw new AuthError(
        'AUTH_USERS_UNSYNCED',
        `cannot sync the directory of ${this.path}: ${messageOf(cause)}; ${problem}`,
        { cause },
      )
    }
  }
}

/** A name that nobody has got again may stay in the file, until the next change: there is nothing of it to be taken for somebody else's. */
function mayWait(change: UserRecordChange, users: UserStore): boolean {
  return 'forgotten' in change && users.get(change.forgotten) === undefined
}

/** Changes `users`, as far as it gets, and gives what has changed. Rejects with AuthError. */
async function makeAll(makes: readonly MakeChange[], users: MemoryUserStore): Promise<UserRecordChange[]> {
  const changes: UserRecordChange[] = []
  for await (const part of inTurns(makes)) {
    for (const make of part) {
      const change = make(users)
      if (change === undefined) continue
      users.apply(change)
      changes.push(change)
    }
  }
  return changes
}

/** Parts of a list, each in a turn of its own: sockets have theirs between two of them. */
async function* inTurns<T>(items: readonly T[]): AsyncGenerator<readonly T[]> {
  for (let from = 0; from < items.length; from += USERS_PER_TURN) {
    if (from > 0) await nextTurn()
    yield items.slice(from, from + USERS_PER_TURN)
  }
}

/** In pieces: a hundred thousand users are forty megabytes. */
async function* formatUsersFile(users: MemoryUserStore): AsyncGenerator<string> {
  const removed = JSON.stringify(users.removedNames)
  yield `{"version":${VERSION},"decoySecret":"${toBase64(users.decoySecret)}","removed":${removed},"users":[\n`
  let before = ''
  for await (const part of inTurns(users.list())) {
    yield before + part.map((user) => JSON.stringify(user)).join(',\n')
    before = ',\n'
  }
  yield '\n]}\n'
}

/** The text of the file; undefined when there is none. */
async function readUsersFile(path: string): Promise<string | undefined> {
  let bytes: Buffer
  try {
    const { size } = await stat(path)
    if (size > USERS_FILE_BYTES_MAX) throw corrupt(path, `is ${size} bytes long, more than ${USERS_FILE_BYTES_MAX}`)
    bytes = await readFile(path)
  } catch (cause) {
    if (cause instanceof AuthError) throw cause
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new AuthError(
      'AUTH_USERS_UNREADABLE',
      `cannot read ${path}: ${messageOf(cause)}; the user that runs the broker must be able to read and write it`,
      { cause },
    )
  }
  const text = utf8Text(bytes)
  if (text !== undefined) return text
  const lossy = bytes.toString('utf8')
  throw corrupt(path, `is not UTF-8 at ${lineAndColumn(lossy, lossy.indexOf('\ufffd'))}`)
}

function parseUsersFile(path: string, text: string): MemoryUserStore {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const offset = jsonErrorOffset(text) ?? text.length
    throw corrupt(
      path,
      offset === text.length
        ? `ends too early, at ${lineAndColumn(text, offset)}`
        : `is not JSON at ${lineAndColumn(text, offset)}`,
    )
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw corrupt(path, 'holds no object at line 1, column 1')
  const { version, decoySecret, users, removed = [], ...unknown } = value as Record<string, unknown>
  if (typeof version === 'number' && Number.isInteger(version) && version > VERSION) {
    throw new AuthError(
      'AUTH_USERS_NEWER',
      `${path} has version ${version}, this TernMQ reads versions up to ${VERSION}: start the newer TernMQ that wrote it`,
    )
  }
  if (!VERSIONS_READ.includes(version)) throw corrupt(path, `has no "version": ${VERSION}`)
  const unknownKey = Object.keys(unknown)[0]
  if (unknownKey !== undefined) throw corrupt(path, `has the unknown field ${JSON.stringify(unknownKey)}`)
  const secret = typeof decoySecret === 'string' ? fromBase64(decoySecret) : undefined
  if (secret?.length !== DECOY_SECRET_BYTES)
    throw corrupt(path, `has no "decoySecret" of ${DECOY_SECRET_BYTES} bytes in base64`)
  if (!Array.isArray(users)) throw corrupt(path, 'has no list "users"')
  if (
    !Array.isArray(removed) ||
    removed.length > REMOVED_NAMES_MAX ||
    !removed.every((name) => typeof name === 'string')
  ) {
    throw corrupt(path, `has no list "removed" of up to ${REMOVED_NAMES_MAX} names`)
  }
  return new MemoryUserStore(parseUsers(path, users), secret, removed)
}

function parseUsers(path: string, values: readonly unknown[]): UserRecord[] {
  if (values.length > USERS_MAX) throw corrupt(path, `holds ${values.length} users, more than ${USERS_MAX}`)
  const indexByName = new Map<string, number>()
  return values.map((value, index) => {
    try {
      const record = checkUserRecord(value, `users[${index}]`)
      const earlier = indexByName.get(record.name)
      if (earlier !== undefined)
        throw new AuthError('AUTH_USERS_CORRUPT', `users[${index}] has the name of users[${earlier}]`)
      indexByName.set(record.name, index)
      return record
    } catch (error) {
      throw corrupt(path, `is damaged: ${messageOf(error)}`)
    }
  })
}

function corrupt(path: string, problem: string): AuthError {
  const advice = 'mend it by hand, put a backup in its place, or move it away to start without users'
  return new AuthError('AUTH_USERS_CORRUPT', `${path} ${problem}: ${advice}`)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
