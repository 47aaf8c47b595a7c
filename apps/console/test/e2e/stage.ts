/** A whole broker with its console, the admin API to arrange things with, and pages of a browser that look at it. */
import { type BrokerOptions, startBroker } from '@ternmq/broker'
import { type Call, login, putUser, type Role, type Route, DEFAULT_VHOST, pathOf } from '@ternmq/api'
import { ApiClient, fetchTransport } from '@ternmq/api/client'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import { onTestFinished } from 'vitest'

import { builtPages } from './built-pages.ts'
import { newContext } from './chromium.ts'

export const ADMIN = 'admin'
export const PASSWORD = 'correct horse'

/** Wide enough for every column, and what most people have. */
const VIEWPORT = { width: 1440, height: 900 }

/** Each broker would compress all files of the pages once more, which takes longer than most tests. */
const UNCOMPRESSED = { 'accept-encoding': 'identity' }

type Broker = Awaited<ReturnType<typeof startBroker>>

export interface LookOptions {
  readonly as?: string
  readonly scheme?: 'light' | 'dark'
}

/** What a call takes; the virtual host is filled in. */
interface Input<C extends Call> {
  readonly params?: Omit<C['params'], 'vhost'>
  readonly query?: C['query']
  readonly body?: C['body']
}

export class Stage {
  readonly broker: Broker
  /** Of the console, without a slash at the end. */
  readonly url: string
  readonly #api: ApiClient

  /** Stopped after the test. Everything is kept in memory unless the options have a data directory. */
  static async open(options: BrokerOptions = {}): Promise<Stage> {
    await builtPages()
    const { config, ...others } = options
    const broker = await startBroker({
      adminPassword: PASSWORD,
      ...others,
      config: { ...config, console: { enabled: true, port: 0, ...config?.console } },
    })
    onTestFinished(() => broker.stop())
    return new Stage(broker)
  }

  private constructor(broker: Broker) {
    this.broker = broker
    this.url = `http://127.0.0.1:${broker.console!.port}`
    this.#api = this.apiAs(ADMIN)
  }

  apiAs(user: string): ApiClient {
    return new ApiClient({ transport: fetchTransport(this.url), login: { user, password: PASSWORD } })
  }

  /** What an administrator's script would do. */
  call<C extends Call>(route: Route<C>, { params, query, body }: Input<C> = {}): Promise<C['answer']> {
    return this.#api.call(route, {
      params: { vhost: DEFAULT_VHOST, ...params },
      ...(query === undefined ? {} : { query }),
      ...(body === undefined ? {} : { body }),
    })
  }

  /** With `PASSWORD`. */
  async addUser(name: string, role: Role | null): Promise<void> {
    await this.call(putUser, { params: { name }, body: { password: PASSWORD, role } })
  }

  /** A browser that nobody has logged in with. */
  context({ scheme = 'light' }: LookOptions = {}): Promise<BrowserContext> {
    return newContext({ baseURL: this.url, viewport: VIEWPORT, colorScheme: scheme, extraHTTPHeaders: UNCOMPRESSED })
  }

  /** A page of the console, open at `path`, of somebody who is logged in. */
  async look(path: string, options: LookOptions = {}): Promise<Page> {
    const context = await this.context(options)
    const answer = await context.request.post(pathOf(login), {
      data: { user: options.as ?? ADMIN, password: PASSWORD },
    })
    if (!answer.ok()) throw new Error(`login was refused: ${await answer.text()}`)
    const page = await context.newPage()
    await page.goto(path)
    return page
  }
}

/** A directory that is gone after the test. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ternmq-e2e-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
