/** All rules about the source. Each has a file under rules/ and its tests beside it. */
import { arrows } from './rules/arrows.ts'
import { deadFiles } from './rules/dead-files.ts'
import { dependencies } from './rules/dependencies.ts'
import { files } from './rules/files.ts'
import { links } from './rules/links.ts'
import { lockFiles } from './rules/lock-files.ts'
import { tests } from './rules/tests.ts'
import { throughEnv } from './rules/through-env.ts'
import { words } from './rules/words.ts'
import type { Rule } from './violation.ts'

export const RULES: readonly Rule[] = [
  arrows,
  throughEnv,
  words,
  tests,
  files,
  lockFiles,
  links,
  dependencies,
  deadFiles,
]
