/** Where the console lives: its server may be behind a proxy, at a path of its own. */

/** The path in <base>, with `/` at both ends. */
export const BASE_PATH = new URL('.', document.baseURI).pathname

/** Address of an API path, such as `/api/v1/queues`, below the base. */
export function addressOf(path: string): string {
  return BASE_PATH + path.replace(/^\//, '')
}
