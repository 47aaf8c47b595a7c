/**
 * Serves the built pages of the console. Only files that were found in their folder can be asked for, by their name: no path is ever put
 * together from what a caller sends. What is no file is a place inside the console, and gets its page.
 */
import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, extname, join, sep } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { PAGES_BYTES_MAX, PAGES_FILES_MAX } from './limits.ts'

export interface PageAnswer {
  readonly status: 200 | 304 | 404 | 503
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | string
}

export interface PageRequest {
  /** Below the base path, decoded: '/assets/index-3f2a.js'. */
  readonly path: string
  readonly acceptEncoding: string | undefined
  readonly ifNoneMatch: string | undefined
}

export interface PagesOptions {
  /** Below which everything is: '' or '/ternmq'. */
  readonly basePath: string
  /** Of the pages, which are of the same package as what serves them. */
  readonly version: string
  /** Where the broker is, when that is not where the pages come from. */
  readonly brokerUrl?: string
}

interface PageFile {
  readonly path: string
  readonly type: string
  readonly etag: string
  readonly isHashed: boolean
}

const INDEX = '/index.html'
/** Vite gives these names that change with what is in them. */
const HASHED = '/assets/'
/** Names of queues and clients may end like files: only at the top and below `assets` is nothing else. */
const MISSING_FILE = /^\/(?:assets\/.*|[^/]*\.\w+)$/
const YEAR_SECONDS = 31_536_000

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
}
const COMPRESSED: ReadonlySet<string> = new Set(['.html', '.js', '.css', '.json', '.svg', '.txt'])

const ENCODERS = {
  br: (bytes: Uint8Array): Promise<Buffer> =>
    promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }),
  gzip: (bytes: Uint8Array): Promise<Buffer> => promisify(gzip)(bytes, { level: 9 }),
}

/** Beside their folder in a clone of the repository, and not in the package. */
const BUILDER = 'build.ts'

const IN_A_CLONE =
  '<code>npm start</code> builds them, and says at its terminal why it could not. While the broker runs, this does, in the folder of the clone: ' +
  '<code>node tools/run/node24.mjs apps/console/web/build.ts</code>. Then load this page again.'

const IN_A_PACKAGE =
  'They come with the package <code>ternmq</code>, which is not complete here: install it again, and load this page again.'

function notBuilt(advice: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>TernMQ</title>
<h1>The pages of the console are not here</h1>
<p>${advice}</p>
<p>The broker, its commands and the admin API work without them: <code>api/v1/openapi.json</code> describes it.</p></html>
`
}

export class Pages {
  readonly #folder: string | undefined
  readonly #options: PagesOptions
  /** By path below the base path; undefined until somebody asks, or while there are none. */
  #files: ReadonlyMap<string, PageFile> | undefined
  #builtAtMs = -1
  /** By path and encoding. As many as there are files, in each encoding. */
  readonly #bodies = new Map<string, Promise<Uint8Array>>()

  constructor(folder: string | undefined, options: PagesOptions) {
    this.#folder = folder
    this.#options = options
  }

  async answer({ path, acceptEncoding = '', ifNoneMatch }: PageRequest): Promise<PageAnswer> {
    const files = await this.#find()
    const index = files?.get(INDEX)
    if (files === undefined || index === undefined)
      return { status: 503, headers: uncached(TYPES['.html']!), body: notBuilt(await this.#advice()) }
    const file = files.get(path)
    if (file === undefined || file === index) return await this.#answerPlace(path, index)
    const caching = file.isHashed ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache'
    const headers = { 'content-type': file.type, 'cache-control': caching, etag: file.etag, vary: 'accept-encoding' }
    if (ifNoneMatch === file.etag) return { status: 304, headers, body: '' }
    const encoding = COMPRESSED.has(extname(path)) ? encodingFor(acceptEncoding) : undefined
    const body = await this.#bodyOf(file, encoding)
    return {
      status: 200,
      headers: { ...headers, ...(encoding !== undefined && { 'content-encoding': encoding }) },
      body,
    }
  }

  /** The page finds out itself what is shown there. A script that has gone is no place: a stale page must notice. */
  async #answerPlace(path: string, index: PageFile): Promise<PageAnswer> {
    if (path !== INDEX && MISSING_FILE.test(path)) {
      return { status: 404, headers: uncached(TYPES['.txt']!), body: 'There is no such file.\n' }
    }
    const html = Buffer.from(await this.#bodyOf(index, undefined)).toString('utf8')
    const { basePath, version, brokerUrl = '' } = this.#options
    const body = html
      .replace('<base href="/" />', () => `<base href="${basePath}/" />`)
      .replace(metaOf('version', ''), () => metaOf('version', version))
      .replace(metaOf('broker', ''), () => metaOf('broker', brokerUrl))
    return { status: 200, headers: uncached(TYPES['.html']!), body }
  }

  /** For whoever comes while there are no pages. */
  async #advice(): Promise<string> {
    if (this.#folder === undefined) return IN_A_PACKAGE
    const builder = await stat(join(dirname(this.#folder), BUILDER)).catch(() => undefined) // not there: no clone
    return builder === undefined ? IN_A_PACKAGE : IN_A_CLONE
  }

  /** Looks again when the page has been built anew. */
  async #find(): Promise<ReadonlyMap<string, PageFile> | undefined> {
    if (this.#folder === undefined) return undefined
    const index = await stat(join(this.#folder, INDEX)).catch(() => undefined) // not there: not built
    if (index === undefined) return undefined
    if (this.#files === undefined || index.mtimeMs !== this.#builtAtMs) {
      this.#bodies.clear()
      this.#files = await filesIn(this.#folder)
      this.#builtAtMs = index.mtimeMs
    }
    return this.#files
  }

  #bodyOf(file: PageFile, encoding: keyof typeof ENCODERS | undefined): Promise<Uint8Array> {
    const key = `${encoding ?? ''} ${file.path}`
    let body = this.#bodies.get(key)
    if (body === undefined) {
      body = encoding === undefined ? readFile(file.path) : this.#bodyOf(file, undefined).then(ENCODERS[encoding])
      body.catch(() => this.#bodies.delete(key)) // whoever asked gets the error; the next one tries again
      this.#bodies.set(key, body)
    }
    return body
  }
}

/** What the page is told, as index.html has it. */
function metaOf(name: string, content: string): string {
  return `<meta name="ternmq-${name}" content="${content.replaceAll('&', '&amp;').replaceAll('"', '&quot;')}" />`
}

async function filesIn(folder: string): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>()
  let bytes = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const type = TYPES[extname(entry.name)]
    if (!entry.isFile() || type === undefined) continue
    const path = join(entry.parentPath, entry.name)
    const { size, mtimeMs } = await stat(path)
    bytes += size
    if (bytes > PAGES_BYTES_MAX || files.size >= PAGES_FILES_MAX) break
    const name = path.slice(folder.length).replaceAll(sep, '/')
    files.set(name, {
      path,
      type,
      etag: `"${size.toString(36)}-${Math.trunc(mtimeMs).toString(36)}"`,
      isHashed: name.startsWith(HASHED),
    })
  }
  return files
}

function encodingFor(accepted: string): keyof typeof ENCODERS | undefined {
  const names = accepted.split(',').map((part) => part.trim().split(';')[0])
  if (names.includes('br')) return 'br'
  return names.includes('gzip') ? 'gzip' : undefined
}

function uncached(type: string): Record<string, string> {
  return { 'content-type': type, 'cache-control': 'no-store' }
}
