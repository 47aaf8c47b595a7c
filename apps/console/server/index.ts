/** The admin API over HTTP. The library behind it is loaded for the first call, and not before. */
import { join } from 'node:path'

export type * from './options.ts'
export { ApiServer } from './server.ts'

/** The built pages: beside the sources, and beside what is made of them for the package. */
export const PAGES_DIR: string = join(import.meta.dirname, '..', 'web', 'dist')
