/** Finds the test files whose titles claim requirements, so that the pages about them can be written without running all tests. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Whatever is in there claims something, in titles that may be put together. */
const CONFORMANCE = 'packages/*/test/conformance/**/*.test.ts'
const OTHERS = ['{apps,packages,tools}/*/src/**/*.test.ts', '{apps,packages,tools}/*/test/**/*.test.ts']

/** `[MQTT5-3.12.4-1` or `[AMQPWSB-2.1-a` as it stands in a title; what it claims is for tools/docs to say. */
const CLAIM = /\[(?:[A-Z]+\d+|AMQP[A-Z]+)-[\dA-Z]/

/** Relative to `root`, sorted. */
export function claimingFiles(root: string): string[] {
  const always = globSync(CONFORMANCE, { cwd: root })
  const claiming = globSync(OTHERS, { cwd: root, exclude: ['**/node_modules/**'] }).filter((path) =>
    CLAIM.test(readFileSync(join(root, path), 'utf8')),
  )
  return [...new Set([...always, ...claiming])].sort()
}
