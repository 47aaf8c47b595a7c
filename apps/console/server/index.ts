/** The admin API over HTTP. The library behind it is loaded when a server is made, and not before. */
import { join } from 'node:path'
import type { ApiServerOptions } from './options.ts'
import type { ApiServer } from './server.ts'

export type * from './options.ts'
export type { ApiServer } from './server.ts'

/** The built pages: beside the sources, and beside what is made of them for the package. */
export const PAGES_DIR: string = join(import.meta.dirname, '..', 'web', 'dist')

/** Listens nowhere yet. Rejects with RangeError for a handler whose route has no schemas, and for settings that cannot be. */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { makeApiServer } = await import('./server.ts')
  return await makeApiServer(options)
}
