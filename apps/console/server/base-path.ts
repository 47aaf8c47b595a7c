/** The path below which a proxy in front serves the console. */

/** Where a call for the base path without its slash is led, its query with it. */
export function withSlash(basePath: string, url: string): string {
  const query = url.indexOf('?')
  return query < 0 ? `${basePath}/` : `${basePath}/${url.slice(query)}`
}
