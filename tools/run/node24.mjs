/**
 * node tools/run/node24.mjs FILE [ARGUMENT…]: runs FILE, relative to the repository, on Node 24 and in the caller's
 * folder, after installing what is missing. Behind `npm start`, `npm test`, `npm run check` and `npm run ternmq`; their
 * scripts begin with `exec`, or npm's signals would end a shell in between and leave the program behind.
 */
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureInstalled, node24, toolEnv } from './install.mjs'
import { ensurePages } from './pages.mjs'

/** `ternmq` from the sources. */
const COMMAND = 'apps/broker/src/cli.ts'
const FORWARDED = ['SIGTERM', 'SIGINT', 'SIGHUP']

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const [file, ...args] = process.argv.slice(2)

if (file === undefined) fail('usage: node tools/run/node24.mjs FILE [ARGUMENT…]')

try {
  await ensureInstalled(root)
  if (file === COMMAND && args[0] === 'start') await ensurePages(root)
} catch (error) {
  fail(error.message)
}

const argv = [join(root, file), ...args]
// At a terminal we stay, to keep npm's copy of Ctrl-C from the program (see runAsChild).
if (process.execve !== undefined && process.platform !== 'win32' && !process.stdin.isTTY) {
  process.execve(node24(root), [node24(root), ...argv], toolEnv(root)) // does not return: signals reach the program itself
}
runAsChild()

/** Node 20 cannot replace itself: stays as the parent, passes signals on, ends as the child ended. */
function runAsChild() {
  const child = spawn(node24(root), argv, { env: toolEnv(root), stdio: 'inherit' })
  for (const signal of FORWARDED) {
    process.on(signal, () => {
      // Ctrl-C reaches the child as one of the terminal's group; npm sends us another, which would be a second one.
      if (signal === 'SIGINT' && process.stdin.isTTY) return
      child.kill(signal)
    })
  }
  child.on('error', (error) => fail(`cannot run ${node24(root)}: ${error.message}`))
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    for (const forwarded of FORWARDED) process.removeAllListeners(forwarded)
    process.kill(process.pid, signal)
  })
}

function fail(sentence) {
  process.stderr.write(`ternmq: ${sentence}\n`)
  process.exit(1)
}
