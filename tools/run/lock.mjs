/**
 * One process at a time, across processes: a file that names its owner. A lock whose owner died is taken over.
 * Used around what is made once, so that `npm test` and `npm start` begun together do not write node_modules at once.
 */
import { closeSync, linkSync, openSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 100
/** Longer than a first install over a slow line; after that a person should look. */
export const LOCK_WAIT_MS = 15 * 60_000

/** Runs `body` while holding `file`. Throws when another living process holds it for longer than `waitMs`. */
export async function withLock(file, body, waitMs = LOCK_WAIT_MS) {
  const deadline = Date.now() + waitMs
  let told = false
  while (!take(file)) {
    const owner = ownerOf(file)
    if (owner !== undefined && !isAlive(owner) && removeStale(file, owner)) continue
    if (Date.now() > deadline) {
      throw new Error(`process ${owner} has held ${file} for ${waitMs} ms; end it, or delete ${file}*`)
    }
    if (!told) process.stderr.write(`waiting for process ${owner}, which has ${file}\n`)
    told = true
    await sleep(POLL_MS)
  }
  try {
    return await body()
  } finally {
    rmSync(file, { force: true })
  }
}

/** Creates the lock with its content in one step, so that nobody ever reads a lock without an owner. */
function take(file) {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, String(process.pid))
  try {
    linkSync(draft, file)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  } finally {
    unlinkSync(draft)
  }
}

/** Pid in the lock; undefined when it has just been released. */
function ownerOf(file) {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Deletes the lock of the dead process `owner`. Two waiters may get here together, and the slower must not delete the
 * lock that the faster one took meanwhile: a second file guards the look and the deletion. False when the other waiter
 * has the guard.
 */
function removeStale(file, owner) {
  const guard = `${file}.stale`
  let descriptor
  try {
    descriptor = openSync(guard, 'wx')
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
  try {
    if (ownerOf(file) === owner) rmSync(file, { force: true })
    return true
  } finally {
    closeSync(descriptor)
    rmSync(guard, { force: true })
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
