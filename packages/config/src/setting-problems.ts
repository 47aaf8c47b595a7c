/** Judges one value by itself, for whoever is about to change a setting. */
import { check } from './given.ts'
import { givenByApi } from './overrides.ts'
import { Problems } from './problems.ts'
import { checkPolicies } from './rules.ts'
import type { QueuePolicy } from './types.ts'

/**
 * What is wrong with `value` for the setting `key`, or with the key, one sentence each; none when nothing is. Whether it fits to the other
 * settings is not asked: `loadConfig` says so.
 */
export function settingProblems(key: string, value: unknown): readonly string[] {
  const problems = new Problems()
  for (const given of givenByApi(new Map([[key, value]]), problems)) check(given, problems)
  if (key === 'policies' && problems.count === 0) checkPolicies(value as readonly QueuePolicy[], '', problems)
  return problems.errors
}
