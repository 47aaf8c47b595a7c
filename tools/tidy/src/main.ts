/** Checks the source against all rules. Prints `file:line rule: what is wrong; what to do` and ends with 1 when anything is. */
import { join } from 'node:path'
import { RULES } from './rules.ts'
import { readTree } from './source-tree.ts'
import { toLine } from './violation.ts'

const tree = readTree(join(import.meta.dirname, '..', '..', '..'))
const violations = RULES.flatMap((rule) => rule(tree))

for (const violation of violations) process.stdout.write(`${toLine(violation)}\n`)
process.stdout.write(`tidy: ${tree.files.length} files, ${violations.length} violations\n`)
process.exitCode = violations.length === 0 ? 0 : 1
