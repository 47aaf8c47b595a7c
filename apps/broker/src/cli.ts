#!/usr/bin/env node
/**
 * The `ternmq` command. Nothing is imported before the version of Node is looked at: an old one should be told in a sentence, not by what it
 * does not find.
 */
const NODE_MIN = '22.18.0'

if (process.versions.node.localeCompare(NODE_MIN, 'en', { numeric: true }) < 0) {
  process.stderr.write(
    `ternmq: this is Node ${process.versions.node}, and TernMQ needs ${NODE_MIN} or newer: https://nodejs.org\n`,
  )
  process.exit(1)
}
const { runCommandLine } = await import('./cli/main.ts')
process.exit(await runCommandLine(process))
