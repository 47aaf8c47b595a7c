/** What the answers of the made-up broker are made with. */
import * as api from '@ternmq/api'

export type Params = Readonly<Record<string, string>>
export interface Asked<C extends api.Call> {
  readonly params: Params
  readonly query: Params
  readonly body: C['body']
}
export interface Answering {
  readonly route: api.Route<api.Call>
  readonly answer: (asked: Asked<api.Call>) => unknown
}

export class Refusal extends Error {
  readonly problem: api.Problem

  constructor(problem: api.Problem) {
    super(problem.detail)
    this.problem = problem
  }
}

export function on<C extends api.Call>(route: api.Route<C>, answer: (asked: Asked<C>) => C['answer']): Answering {
  return { route, answer: answer as unknown as Answering['answer'] }
}

export function missing(code: string, what: string): Refusal {
  return new Refusal({
    code,
    status: 404,
    title: 'It is not there',
    detail: `There is no ${what}. Look for it in its list.`,
  })
}

/** One page of `items`; `names` has what `q` looks into. */
export function pageOf<T extends object>(items: readonly T[], query: Params, names: readonly string[]): api.Page<T> {
  const field = (item: T, key: string): unknown => (item as Record<string, unknown>)[key]
  const text = (query['q'] ?? '').toLowerCase()
  let found = items.filter((item) => names.some((name) => String(field(item, name)).toLowerCase().includes(text)))
  if (query['unhealthy'] === 'true') found = found.filter((item) => field(item, 'problem') !== undefined)
  const sort = query['sort'] ?? ''
  const key = sort.replace('-', '')
  if (key !== '')
    found = found.toSorted((a, b) => compare(field(a, key), field(b, key)) * (sort.startsWith('-') ? -1 : 1))
  const from = Number(query['cursor'] ?? 0)
  const limit = Number(query['limit'] ?? api.PAGE_LIMIT_DEFAULT)
  return {
    items: found.slice(from, from + limit),
    next: from + limit < found.length ? String(from + limit) : undefined,
    total: found.length,
  }
}

function compare(a: unknown, b: unknown): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b))
}
