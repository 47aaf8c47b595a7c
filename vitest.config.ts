/**
 * Three kinds of tests: unit beside the code, conformance clause by clause of a specification and simulation, system with real
 * processes and sockets, most of them two files at a time (`system`), some alone (`alone`). `npm run check` runs the first, `npm test` all.
 */
import { availableParallelism } from 'node:os'
import type { ViteUserConfig } from 'vitest/config'

const notSources = ['**/node_modules/**']
/** Thousands of seeds or inputs, or a disk that is waited for: too long for the fast part. */
const long = [
  'packages/testkit/test/simulat*.test.ts',
  'packages/*/test/fuzz.test.ts',
  'packages/management/test/action-size.test.ts',
  'packages/store/src/journal/journal-engine.test.ts',
]

/** No property is tried with other inputs today than yesterday. */
const setupFiles = ['packages/testkit/test/property-seed.ts']

const system = ['apps/*/test/**/*.test.ts', 'packages/*/test/system/**/*.test.ts', 'tools/*/test/**/*.test.ts']
/** Nothing else runs beside these. */
const alone = [
  // They measure, or put all the load on the machine that it bears.
  'tools/{bench,crash}/test/**/*.test.ts',
  'apps/broker/test/faults/*.test.ts',
  // They give up ports and take the same again: another test might get them meanwhile.
  'apps/broker/test/{start,console-alone,clients/{restart,rhea-restart,stomp-restart,stomp-browser,amqp-seeds,interop-work}}.test.ts',
  'apps/console/test/e2e/{outage,remote}.test.ts',
  'tools/lab/test/*.test.ts',
]
/**
 * Processes have to start, and wait in real time; what a file of tests leaves behind ends with its own. The limits are for what hangs: a
 * machine may be busy with other things too, and what a test waits for has a limit of less than half of this, which says what is missing.
 */
const realTime = { isolate: true, testTimeout: 180_000, hookTimeout: 180_000, expect: { poll: { timeout: 60_000 } } }

const config: ViteUserConfig = {
  test: {
    // All cores: by itself vitest leaves one of them idle, which is half of a small machine.
    maxWorkers: '100%',
    // A process for each worker and not for each file: half of the time would go into loading the same modules again.
    isolate: false,
    // A test that hangs must fail before the whole run is given up; one that is slow because the machine has other work must not.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 30_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            '{apps,packages,tools}/*/src/**/*.test.ts',
            'apps/console/{server,web}/**/*.test.ts',
            'packages/*/test/*.test.ts',
          ],
          exclude: [...notSources, ...long],
          setupFiles,
        },
      },
      {
        extends: true,
        test: {
          name: 'conformance',
          include: ['packages/*/test/conformance/**/*.test.ts', ...long],
          exclude: notSources,
          setupFiles,
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: system,
          exclude: [...notSources, ...alone],
          globalSetup: 'tools/package/test/run-folder.ts',
          maxWorkers: Math.min(2, availableParallelism()),
          // Not beside the projects above, which have another number of workers.
          sequence: { groupOrder: 1 },
          ...realTime,
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: alone, exclude: notSources, fileParallelism: false, ...realTime },
      },
    ],
  },
}

export default config
