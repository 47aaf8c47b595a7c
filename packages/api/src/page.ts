/** Lists: sorted and filtered where the data is, cut into pages by a cursor that stays good while things come and go. */

export interface Page<T> {
  readonly items: readonly T[]
  /** `cursor` of the page that follows; left out when this is the last one. */
  readonly next?: string | undefined
  /** How many there are with this filter, all pages together; left out where counting them would mean reading them. */
  readonly total?: number | undefined
}

export interface ListQuery {
  /** `next` of the page before. */
  readonly cursor?: string | undefined
  /** Items of one page; 100 when left out. */
  readonly limit?: number | undefined
  /** Field to sort by, with `-` before it the largest first: `-readyCount`. */
  readonly sort?: string | undefined
  /** Only what has this text in its name, whatever the case. */
  readonly q?: string | undefined
}

/** Of lists whose items can be unhealthy. */
export interface HealthQuery extends ListQuery {
  /** Only what has a problem. */
  readonly unhealthy?: boolean | undefined
}

/** Of what is listed by when it was; Unix ms. */
export interface TimeQuery {
  /** Only what was at it or later. */
  readonly sinceMs?: number | undefined
  /** Only what was before it. */
  readonly untilMs?: number | undefined
}

export const PAGE_LIMIT_DEFAULT = 100
export const PAGE_LIMIT_MAX = 500

export interface VhostParams {
  readonly vhost: string
}
