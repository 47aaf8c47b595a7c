/** The admin API over HTTP. The library behind it is loaded when a server is made, and not before. */
import type { ApiServerOptions } from './options.ts'
import type { ApiServer } from './server.ts'

export type * from './options.ts'
export type { ApiServer } from './server.ts'

/** Listens nowhere yet. Rejects with RangeError for a handler whose route has no schemas, and for settings that cannot be. */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { makeApiServer } = await import('./server.ts')
  return await makeApiServer(options)
}
