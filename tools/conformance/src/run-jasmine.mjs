/**
 * Runs the specs of an outside suite for jasmine and writes one line of JSON for each.
 *
 *     node run-jasmine.mjs '{"folder": ..., "library": ..., "globals": {...}, "results": ..., "only": [...],
 *                           "skip": [...], "seconds": ...}'
 *
 * `folder` has `helpers` and `unit`, `library` is a CommonJS file that the specs know as `StompJs`, and `globals` are what they know
 * besides. Specs run in their order; of them those whose full name is in `only` (all when that is empty) and not in `skip`. A spec
 * that takes longer than `seconds` has failed, and the results go to the file `results`.
 */
import { appendFileSync, readdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'

import jasmineCore from 'jasmine-core'
import { WebSocket } from 'ws'

const { folder, library, globals, results, only, skip, seconds } = JSON.parse(process.argv[2])
const load = createRequire(join(folder, 'unit'))

jasmineCore.installGlobals()
const { jasmine } = globalThis
jasmine.DEFAULT_TIMEOUT_INTERVAL = seconds * 1000
const environment = jasmine.getEnv()
const isChosen = (name) => (only.length === 0 || only.includes(name)) && !skip.includes(name)
environment.configure({ random: false, specFilter: (spec) => isChosen(spec.getFullName()) })

const StompJs = load(library)
Object.assign(globalThis, globals, { WebSocket, StompJs, Stomp: StompJs.Stomp })
// What the specs and their client say is not for the log.
for (const name of ['log', 'info', 'warn', 'error', 'debug']) console[name] = () => {}

let file = ''
/** Of every spec, by its id. */
const files = new Map()
for (const path of filesIn(join(folder, 'helpers'))) load(path)
for (const path of filesIn(join(folder, 'unit'))) {
  file = basename(path)
  const before = new Set(specs(environment.topSuite()))
  load(path)
  for (const id of specs(environment.topSuite())) if (!before.has(id)) files.set(id, file)
}

writeFileSync(results, '')
environment.addReporter({
  specDone({ id, fullName, status, duration, failedExpectations, pendingReason }) {
    if (status === 'excluded') return
    const outcome = status === 'passed' || status === 'failed' ? status : 'skipped'
    const said = outcome === 'failed' ? (failedExpectations[0]?.message ?? '') : (pendingReason ?? '')
    const problem = said.split('\n')[0]
    const line = { script: files.get(id), name: fullName, outcome, seconds: Math.round(duration / 100) / 10, problem }
    appendFileSync(results, `${JSON.stringify(line)}\n`)
  },
})
await environment.execute()
process.exit(0) // connections that a failed spec left open

function filesIn(path) {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.js'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}

/** Ids of the specs under a suite. */
function specs(suite) {
  return suite.children.flatMap((child) => (child.children === undefined ? [child.id] : specs(child)))
}
