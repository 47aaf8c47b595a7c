/** What a page shows is in its address: filter, sort, page and tab can be sent to somebody, and come back with the back button. */
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'

export type UrlText = Readonly<Record<string, string>>

/** Plain `key=value` texts, so that addresses can be read and written by hand. The first of several with one key counts. */
export function parseSearch(text: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [key, value] of new URLSearchParams(text)) found[key] ??= value
  return found
}

/** With `?` where there is something; what is empty is left out. */
export function stringifySearch(search: Readonly<Record<string, unknown>>): string {
  const params = new URLSearchParams()
  for (const [key, value] of Object.entries(search)) {
    if (typeof value === 'string' && value !== '') params.set(key, value)
    else if (typeof value === 'number' || typeof value === 'boolean') params.set(key, String(value))
  }
  // Slashes and colons are fine in a query, and topics are full of them.
  const text = params.toString().replaceAll('%2F', '/').replaceAll('%3A', ':')
  return text === '' ? '' : `?${text}`
}

export interface UrlState {
  readonly all: UrlText
  /** '' when it is not there. */
  get(key: string): string
  /** Changes some keys; '' takes one out. */
  set(changes: UrlText, options?: SetOptions): void
}

export interface SetOptions {
  /** No new entry in the history. */
  readonly replace?: boolean
  /** The same things are shown: they stay where they are. Others begin at their top. */
  readonly keepScroll?: boolean
}

export function useUrlState(): UrlState {
  const search: UrlText = useSearch({ strict: false })
  const navigate = useNavigate()
  return {
    all: search,
    get: (key) => search[key] ?? '',
    set: (changes, options) => {
      void navigate({
        to: '.',
        search: { ...search, ...changes },
        replace: options?.replace === true,
        resetScroll: options?.keepScroll !== true,
      })
    },
  }
}

/** A part of the path, such as the name of a queue; '' when the page has no such part. */
export function usePathText(name: string): string {
  const params: UrlText = useParams({ strict: false })
  return params[name] ?? ''
}
