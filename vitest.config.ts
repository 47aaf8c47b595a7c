/**
 * Three kinds of tests: unit beside the code, conformance clause by clause of a specification and simulation, system with real
 * processes and sockets. `npm run check` runs the first, `npm test` all.
 */
import type { ViteUserConfig } from 'vitest/config'

const notSources = ['**/node_modules/**']
/** Thousands of seeds: too long for the fast part. */
const simulations = ['packages/testkit/test/simulat*.test.ts']

const config: ViteUserConfig = {
  test: {
    // All cores: by itself vitest leaves one of them idle, which is half of a small machine.
    maxWorkers: '100%',
    // A process for each worker and not for each file: half of the time would go into loading the same modules again.
    isolate: false,
    // A test that hangs must fail before the whole run is given up.
    testTimeout: 10_000,
    hookTimeout: 20_000,
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
          exclude: [...notSources, ...simulations],
        },
      },
      {
        extends: true,
        test: {
          name: 'conformance',
          include: ['packages/*/test/conformance/**/*.test.ts', ...simulations],
          exclude: notSources,
        },
      },
      {
        extends: true,
        test: {
          name: 'system',
          include: ['apps/*/test/**/*.test.ts', 'packages/*/test/system/**/*.test.ts', 'tools/*/test/**/*.test.ts'],
          exclude: notSources,
          globalSetup: 'tools/package/test/run-folder.ts',
          // Real processes measure and wait in real time: one file at a time, each in a process of its own.
          fileParallelism: false,
          isolate: true,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
}

export default config
