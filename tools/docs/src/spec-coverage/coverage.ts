/** Joins requirement lists with test results: which requirement is claimed by which tests, and what became of them. */
import type { TestResult } from './results.ts'

/** What this tool needs to know of a requirement; packages/mqtt/test/conformance/clauses has more. */
export interface Requirement {
  readonly id: string
  readonly chapter: string
  readonly section: string
  readonly summary: string
  readonly actor: string
  readonly level: string
  readonly why?: string
  readonly deviation?: string
}

export interface Specification {
  /** File name of its page, without ending. */
  readonly name: string
  readonly title: string
  readonly source: string
  readonly clauses: readonly Requirement[]
}

export const STATUSES = ['passed', 'failed', 'deviates', 'not applicable', 'untested'] as const
export type Status = (typeof STATUSES)[number]

export interface Judged {
  readonly requirement: Requirement
  readonly status: Status
  /** Files of the tests that claim it, each once, sorted. */
  readonly files: readonly string[]
}

export interface Coverage {
  readonly specification: Specification
  readonly requirements: readonly Judged[]
}

/**
 * Judges every requirement of every list. Failed when one claiming test failed; passed when none did and at least one
 * ran, or deviates when the list says so: then its tests show what is done instead. Otherwise not applicable when it is
 * for clients, else untested.
 * Throws with all of them when titles claim ids that no list has.
 */
export function judge(specifications: readonly Specification[], results: readonly TestResult[]): Coverage[] {
  const known = new Set(specifications.flatMap(({ clauses }) => clauses.map(({ id }) => id)))
  const families = familiesOf(known)
  const claims = new Map<string, TestResult[]>()
  const strays: string[] = []
  for (const result of results) {
    for (const id of claimedIn(result.title, families)) {
      if (known.has(id)) claims.set(id, [...(claims.get(id) ?? []), result])
      else strays.push(`${result.file}: "${result.title}" claims ${id}, which no list has`)
    }
  }
  if (strays.length > 0) throw new Error([...new Set(strays)].sort().join('\n'))
  return specifications.map((specification) => ({
    specification,
    requirements: specification.clauses.map((requirement) => judgeOne(requirement, claims.get(requirement.id) ?? [])),
  }))
}

/** The requirements nobody tests, by chapter, in the order of the list: work to hand out. */
export function unclaimed(coverage: Coverage): ReadonlyMap<string, readonly Requirement[]> {
  const chapters = new Map<string, Requirement[]>()
  for (const { requirement, status } of coverage.requirements) {
    if (status !== 'untested') continue
    chapters.set(requirement.chapter, [...(chapters.get(requirement.chapter) ?? []), requirement])
  }
  return chapters
}

/** Whether the id ends in the specification's own number; ours end in a letter. */
export function isNumbered({ id }: Requirement): boolean {
  return /-\d+$/.test(id)
}

function judgeOne(requirement: Requirement, claims: readonly TestResult[]): Judged {
  const ran = claims.filter(({ outcome }) => outcome !== 'skipped')
  const files = [...new Set(ran.map(({ file }) => file))].sort()
  if (ran.some(({ outcome }) => outcome === 'failed')) return { requirement, status: 'failed', files }
  if (ran.length > 0) return { requirement, status: requirement.deviation === undefined ? 'passed' : 'deviates', files }
  return { requirement, status: requirement.actor === 'client' ? 'not applicable' : 'untested', files }
}

/** 'MQTT' of 'MQTT5-3.1.2-1': a claim is recognised by it, so that a wrong version or number does not go unseen. */
function familiesOf(ids: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...ids].map((id) => /^[A-Za-z]*/.exec(id)![0]))
}

/** Ids in brackets, several of them apart by spaces or commas. '[MQTT5 §4.7]' is a reference, not a claim. */
function claimedIn(title: string, families: ReadonlySet<string>): string[] {
  const ids: string[] = []
  for (const [, bracket = ''] of title.matchAll(/\[([^\][]*)\]/g)) {
    for (const word of bracket.split(/[\s,;]+/)) {
      const family = /^([A-Za-z]+)\d*-/.exec(word)?.[1]
      if (family !== undefined && families.has(family)) ids.push(word)
    }
  }
  return [...new Set(ids)]
}
