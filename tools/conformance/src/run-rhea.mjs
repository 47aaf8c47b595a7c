/**
 * Runs the examples of amqp/rhea that need a broker, and writes one line of JSON for each test.
 *
 *     node run-rhea.mjs '{"folder": ..., "part": ..., "ports": {"amqp": ..., "ws": ...}, "user": [...], "results": ...,
 *                         "only": [...], "skip": [...], "seconds": ...}'
 *
 * `part` 'examples/test_examples.js': the authors' own tests of them, unchanged; it is written for Mocha, of which this has as much as it
 * needs. `part` 'examples': the programs that those tests leave out, each with what it says when all is well.
 * The programs connect to port 5672 unless they are told otherwise: with `redirect.mjs` before them that is the broker's.
 */
import { spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { examplesOf } from './rhea-examples.mjs'

const { folder, part, ports, user, results, only, skip, seconds } = JSON.parse(process.argv[2])
const own = createRequire(import.meta.url)

/** What the examples ask for by name: their library as it is in `folder`, and what it and they need. */
const modules = mkdtempSync(join(tmpdir(), 'ternmq-modules-'))
process.once('exit', () => rmSync(modules, { recursive: true, force: true }))
symlinkSync(folder, join(modules, 'rhea'))
for (const name of ['debug', 'minimist', 'ws'])
  symlinkSync(dirname(own.resolve(`${name}/package.json`)), join(modules, name))
Object.assign(process.env, {
  NODE_PATH: modules,
  NODE_OPTIONS: `--import ${join(import.meta.dirname, 'redirect.mjs')}`,
  REDIRECT_TO: String(ports.amqp),
})

const tests = part === 'examples/test_examples.js' ? testsOf(join(folder, part)) : examplesOf({ ports, user, run })
const isChosen = (name) => (only.length === 0 || only.includes(name)) && !skip.includes(name)
writeFileSync(results, '')
for (const { name, body } of tests.filter((test) => isChosen(test.name))) {
  const startedMs = performance.now()
  const problem = await problemOf(body)
  const line = {
    name,
    outcome: problem === '' ? 'passed' : 'failed',
    seconds: Math.round((performance.now() - startedMs) / 100) / 10,
    problem,
  }
  appendFileSync(results, `${JSON.stringify(line)}\n`)
}
process.exit(0) // programs that a failed test left behind hold nothing up

/** As Mocha reads them. Those under 'direct examples' are of rhea with itself. */
function testsOf(path) {
  const found = []
  let isBrokered = false
  const suite = { slow() {} }
  globalThis.describe = (name, body) => {
    isBrokered = name === 'brokered examples'
    body.call(suite)
  }
  globalThis.it = (name, body) => {
    if (isBrokered) found.push({ name, body: () => new Promise((resolve) => void body.call(suite, resolve)) })
  }
  createRequire(path)(path)
  return found
}

/** '' when nothing is wrong. The authors' tests throw from within events. */
async function problemOf(body) {
  let timer
  let onError
  try {
    await Promise.race([
      body(),
      new Promise((_resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`not over after ${seconds} s`)), seconds * 1_000)
        onError = reject
        process.once('uncaughtException', onError)
      }),
    ])
    return ''
  } catch (error) {
    return String(error.message).split('\n')[0]
  } finally {
    clearTimeout(timer)
    process.off('uncaughtException', onError)
  }
}

/** A program of the examples: what it says, as lines, as soon as it has ended. */
function run(script, args, { code = 0, onLine = () => {} } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(folder, 'examples', script), ...args.map(String)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: seconds * 1_000,
    })
    let [said, complained] = ['', '']
    child.stderr.on('data', (data) => (complained += data))
    child.stdout.on('data', (data) => {
      said += data
      for (const line of String(data).split('\n')) onLine(line)
    })
    child.once('close', (ended, signal) => {
      if (ended !== code) reject(new Error(`${script} ended with ${signal ?? ended}: ${complained || said}`))
      else resolve(said.split('\n').filter((line) => line !== ''))
    })
  })
}
