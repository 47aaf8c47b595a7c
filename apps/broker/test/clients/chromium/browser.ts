/** Debian's Chromium without a window, a server for the page it opens, and tabs with pages of others. */
import { X509Certificate, createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'

import { PATIENCE_MS } from '../../patience.ts'
import { Program } from '../program.ts'
import { Tab } from './tab.ts'

const MQTT_JS = createRequire(import.meta.url).resolve('mqtt/dist/mqtt.min')
const HTML =
  '<!doctype html><meta charset="utf-8"><script src="/mqtt.js"></script><script type="module" src="/page.mjs"></script>'

/** A name that is not this machine's, but leads to it: pages from there are strangers. */
export const STRANGER = 'pages.example'

/** Everything that phones home or asks questions is switched off. */
const FLAGS = [
  '--headless',
  '--no-sandbox', // root has none, and the only page is ours
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  '--no-default-browser-check',
  `--host-resolver-rules=MAP ${STRANGER} 127.0.0.1`,
  '--remote-debugging-port=0',
]

export interface PageResult {
  readonly connected: boolean
  readonly subprotocol: string
  readonly granted: readonly number[]
  readonly messages: readonly { readonly qos: number; readonly text: string; readonly unit?: string }[]
  readonly largeArrived: boolean
}

export class Browser {
  readonly #program: Program
  readonly #profile: string
  readonly #pages: PageServer
  readonly #control: string

  /** `trusted` is a PEM file: the server certificate that pages may connect to. */
  static async start(trusted: string): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'ternmq-chromium-'))
    const key = new X509Certificate(readFileSync(trusted)).publicKey.export({ type: 'spki', format: 'der' })
    const pin = createHash('sha256').update(key).digest('base64')
    const args = [...FLAGS, `--user-data-dir=${profile}`, `--ignore-certificate-errors-spki-list=${pin}`, 'about:blank']
    const program = Program.start('chromium', args, { group: true, env: { TMPDIR: profile } })
    try {
      const line = await program.untilLine('DevTools listening on ws://')
      const control = /ws:\/\/([^/]+)/.exec(line)?.[1] ?? ''
      return new Browser(program, profile, await PageServer.start(), `http://${control}`)
    } catch (error) {
      await program.stop('SIGKILL')
      rmSync(profile, { recursive: true, force: true })
      throw error
    }
  }

  private constructor(program: Program, profile: string, pages: PageServer, control: string) {
    this.#program = program
    this.#profile = profile
    this.#pages = pages
    this.#control = control
  }

  /** Opens the page, from `host`, and resolves with what it says when it is done. */
  async open(query: Readonly<Record<string, string>>, host = '127.0.0.1'): Promise<PageResult> {
    const search = `?${new URLSearchParams(query).toString()}`
    const result = this.#pages.resultOf(search)
    const page = `http://${host}:${this.#pages.port}/${search}`
    const { close } = await this.#newTab(page)
    try {
      return await result
    } finally {
      await close()
    }
  }

  /** Opens a page of somebody else's server, for a look into it. */
  async visit(url: string): Promise<Tab> {
    const { webSocketDebuggerUrl, close } = await this.#newTab('about:blank')
    return Tab.open(webSocketDebuggerUrl, url, close)
  }

  async #newTab(
    url: string,
  ): Promise<{ readonly webSocketDebuggerUrl: string; readonly close: () => Promise<unknown> }> {
    const opened = await fetch(`${this.#control}/json/new?${encodeURIComponent(url)}`, { method: 'PUT' })
    const { id, webSocketDebuggerUrl } = (await opened.json()) as { id: string; webSocketDebuggerUrl: string }
    return { webSocketDebuggerUrl, close: () => fetch(`${this.#control}/json/close/${id}`) }
  }

  async close(): Promise<void> {
    await this.#program.stop('SIGTERM')
    this.#pages.close()
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 10 }) // a child may still be writing
  }
}

class PageServer {
  readonly #server: Server
  readonly #waiting = new Map<string, (result: PageResult) => void>()

  static async start(): Promise<PageServer> {
    const pages = new PageServer()
    await new Promise<void>((resolve) => pages.#server.listen(0, '127.0.0.1', resolve))
    return pages
  }

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  resultOf(search: string): Promise<PageResult> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(search)
        reject(new Error(`the page ${search} has not reported within ${PATIENCE_MS} ms`))
      }, PATIENCE_MS)
      this.#waiting.set(search, (result) => {
        clearTimeout(timer)
        this.#waiting.delete(search)
        resolve(result)
      })
    })
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, search } = new URL(request.url ?? '/', 'http://localhost')
    const send = (type: string, body: string | Buffer): void => {
      response.writeHead(200, { 'content-type': type }).end(body)
    }
    if (pathname === '/') send('text/html', HTML)
    else if (pathname === '/mqtt.js') send('text/javascript', readFileSync(MQTT_JS))
    else if (pathname === '/page.mjs') send('text/javascript', readFileSync(join(import.meta.dirname, 'page.mjs')))
    else if (pathname === '/result') {
      this.#waiting.get(search)?.((await json(request)) as PageResult)
      response.writeHead(204).end()
    } else response.writeHead(404).end()
  }
}
