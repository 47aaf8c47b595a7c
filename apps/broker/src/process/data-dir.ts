/**
 * The data directory: made for its owner only, and used by one process at a time.
 *
 * The lock is the kernel's, on an empty file, by way of SQLite: Node has no call for file locks, and SQLite asks for one
 * when a transaction begins. It ends with the process, however that ends, so there is no stale lock to judge, and no
 * guess whether a process id still means the same process or lives in another container.
 */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'

import { BrokerError, messageOf, systemCode } from '../errors.ts'

/** What holds the directory: a broker as long as it runs, a command for a moment. */
export type Holder = 'broker' | 'command'

/** How long one waits for a command to finish; a broker is not waited for. */
const COMMAND_WAIT_MS = 5_000
const LOOK_EVERY_MS = 20

/** SQLite's result code for a lock that somebody else has. */
const SQLITE_BUSY = 5

export interface DataDir {
  readonly path: string
  readonly usersFile: string
  readonly certificateFolder: string
  readonly journalFolder: string
  readonly adminSocket: string
  readonly auditFile: string
  /** Others may use the directory from now on. Idempotent. */
  release(): void
}

/** Paths inside a data directory. */
export function pathsOf(path: string): Omit<DataDir, 'release'> {
  return {
    path,
    usersFile: join(path, 'users.json'),
    certificateFolder: join(path, 'certificates'),
    journalFolder: join(path, 'journal'),
    adminSocket: join(path, 'admin.sock'),
    auditFile: join(path, 'audit.log'),
  }
}

/**
 * Makes the directory if it is missing and locks it. Throws BrokerError 'DATA_DIR_IN_USE' naming the process that has it,
 * 'DATA_DIR_UNUSABLE' when it cannot be made or written.
 */
export async function openDataDir(path: string, holder: Holder): Promise<DataDir> {
  makeDirectory(path)
  const ownerFile = join(path, 'lock.owner')
  for (let waitedMs = 0; ; waitedMs += LOOK_EVERY_MS) {
    const lock = tryLock(path)
    if (lock !== undefined) {
      writeFileSync(ownerFile, JSON.stringify({ pid: process.pid, holder }), { mode: 0o600 })
      return { ...pathsOf(path), release: () => release(lock, ownerFile) }
    }
    const owner = readOwner(ownerFile)
    if (owner?.holder === 'broker' || waitedMs >= COMMAND_WAIT_MS) throw inUse(path, owner)
    await sleep(LOOK_EVERY_MS)
  }
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    if (!statSync(path).isDirectory()) throw new Error('it is not a directory')
  } catch (cause) {
    const text = `cannot use the data directory ${path}: ${messageOf(cause)}; set dataDir or --data-dir to another`
    throw new BrokerError('DATA_DIR_UNUSABLE', text, { cause })
  }
}

/** Undefined when somebody else has the lock. */
function tryLock(path: string): DatabaseSync | undefined {
  const file = join(path, 'lock')
  let database: DatabaseSync | undefined = undefined
  try {
    // Made here, so that nobody else can open it.
    writeFileSync(file, '', { flag: 'a', mode: 0o600 })
    database = new DatabaseSync(file, { timeout: 0 })
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE') // nothing is ever written: no second file
    return database
  } catch (cause) {
    database?.close()
    if ((cause as { errcode?: number }).errcode === SQLITE_BUSY) return undefined
    const text = `cannot lock the data directory ${path}: ${messageOf(cause)}; the user that runs the broker must be able to write there`
    throw new BrokerError('DATA_DIR_UNUSABLE', text, { cause })
  }
}

function release(lock: DatabaseSync, ownerFile: string): void {
  if (!lock.isOpen) return
  rmSync(ownerFile, { force: true })
  lock.close()
}

interface Owner {
  readonly pid: number
  readonly holder: Holder
}

/** Undefined when whoever has the lock has not written its name yet, or takes it away just now. */
function readOwner(ownerFile: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(ownerFile, 'utf8')) as Owner
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}

function inUse(path: string, owner: Owner | undefined): BrokerError {
  const who = owner === undefined ? 'another process' : `process ${owner.pid}`
  const text = `the data directory ${path} is in use by ${who}; stop it, or give this one its own with --data-dir`
  return new BrokerError('DATA_DIR_IN_USE', text)
}
