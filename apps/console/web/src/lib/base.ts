/** Where the console lives: its server may be behind a proxy, at a path of its own. */

/** The path in <base>, with `/` at both ends. */
export const BASE_PATH = new URL('.', document.baseURI).pathname

/** Address of an API path, such as `/api/v1/queues`, below the base. */
export function addressOf(path: string): string {
  return BASE_PATH + path.replace(/^\//, '')
}

/** Version of the pages; '' where their server does not say, as in development. */
export const PAGES_VERSION: string = told('version')

/** Where the broker is when the pages come from elsewhere (`ternmq console`), without a slash at the end. */
export const REMOTE_URL: string | undefined = told('broker').replace(/\/+$/, '') || undefined

/** Where scripts reach the API and clients the listeners: the broker itself. */
export const BROKER_URL: string = REMOTE_URL ?? location.origin + BASE_PATH.replace(/\/$/, '')

/** What the server has written into the page. */
function told(name: string): string {
  return document.querySelector<HTMLMetaElement>(`meta[name="ternmq-${name}"]`)?.content ?? ''
}
