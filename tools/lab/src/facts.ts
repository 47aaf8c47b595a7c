/** The machine and the commit that a result belongs to. Nothing here names a user, a host or a folder. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'

import { ROOT } from './pages.ts'

export interface RepositoryFacts {
  readonly version: string
  /** 'unknown' outside a git checkout. */
  readonly commit: string
  /** Sources differ from the commit; results under docs/ do not count. */
  readonly isChanged: boolean
}

export interface LabFacts {
  /** 2026-11-20, in UTC. */
  readonly date: string
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly memoryGiB: number
    readonly kernel: string
  }
  readonly node: string
  readonly repository: RepositoryFacts
}

export function labFacts(): LabFacts {
  const processors = cpus()
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: {
      cpu: processors[0]?.model.trim() ?? 'unknown',
      cores: processors.length,
      memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
      kernel: `${type()} ${release()}`,
    },
    node: process.versions.node,
    repository: repositoryFacts(),
  }
}

export function repositoryFacts(): RepositoryFacts {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  const commit = git('rev-parse', '--short=12', 'HEAD')
  if (commit === undefined) return { version, commit: 'unknown', isChanged: false }
  const isChanged = git('status', '--porcelain', '--', 'apps', 'packages') !== ''
  return { version, commit, isChanged }
}

function git(...args: string[]): string | undefined {
  // A checkout that belongs to another user (a container) is still ours to read.
  const done = spawnSync('git', ['-c', 'safe.directory=*', ...args], { cwd: ROOT, encoding: 'utf8' })
  return done.status === 0 ? done.stdout.trim() : undefined
}
