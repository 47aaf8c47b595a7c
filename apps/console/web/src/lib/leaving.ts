/** What is being taken away: who shows it does not ask for it any more until he has gone too, or the answer would be that there is no such thing. */
import type { QueryClient, QueryKey } from '@tanstack/react-query'

/** Parameters of the call that takes it away: `{ queue: 'orders' }`. Whatever is looked up with all of them goes along. */
export type Thing = Readonly<Record<string, string>>

const leaving = new Set<Thing>()

export function isLeaving(params: object | undefined): boolean {
  return [...leaving].some((thing) => isPartOf(params, thing))
}

export function markLeaving(things: readonly Thing[]): void {
  for (const thing of things) leaving.add(thing)
}

/** It has not gone. */
export function unmarkLeaving(things: readonly Thing[]): void {
  for (const thing of things) leaving.delete(thing)
}

/** It has gone: once nothing on the page shows it, what was known of it is forgotten. */
export function forgetWhenLeft(client: QueryClient, things: readonly Thing[]): void {
  if (things.length === 0) return
  const cache = client.getQueryCache()
  const predicate = ({ queryKey }: { readonly queryKey: QueryKey }): boolean =>
    things.some((thing) => isPartOf(paramsIn(queryKey), thing))
  const isShown = (): boolean => cache.findAll({ type: 'active', predicate }).length > 0
  const forget = (): void => {
    unmarkLeaving(things)
    client.removeQueries({ predicate })
  }
  if (!isShown()) {
    forget()
    return
  }
  const stop = cache.subscribe(({ type }) => {
    if (type !== 'observerRemoved' || isShown()) return
    stop()
    forget()
  })
}

/** As `useLook` makes keys. */
function paramsIn([, input]: QueryKey): object | undefined {
  return (input as { readonly params?: object } | undefined)?.params
}

function isPartOf(params: object | undefined, thing: Thing): boolean {
  const all: Readonly<Record<string, unknown>> = { ...params }
  return Object.entries(thing).every(([key, value]) => all[key] === value)
}
