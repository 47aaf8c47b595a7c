/** The admin API over HTTP: where calls come in, and what answers them, which is loaded for the first one. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { ApiApp } from './app.ts'
import { Doors, type PortAddress } from './doors.ts'
import { type ApiServerOptions, DEFAULT_SETTINGS, type ServerTls } from './options.ts'

const BASE_PATH = /^(?:\/[\w~-][\w.~-]*)*$/

export class ApiServer {
  readonly #doors: Doors
  #app: ApiApp | undefined = undefined

  /** Listens nowhere yet. Throws RangeError for settings that cannot be. */
  constructor(options: ApiServerOptions) {
    const settings = { ...DEFAULT_SETTINGS, ...options.settings }
    const { basePath } = settings
    if (!BASE_PATH.test(basePath))
      throw new RangeError(`base path '${basePath}' is not empty and not like /ternmq, without a / at its end`)
    this.#doors = new Doors({
      clock: options.clock,
      settings,
      tls: options.tls,
      load: async () => {
        // One after another: together they would hold the broker up for a tenth of a second.
        await import('fastify')
        await nextTurn()
        await import('@ternmq/api/schemas')
        await nextTurn()
        const { makeApiApp } = await import('./app.ts')
        await nextTurn()
        this.#app = await makeApiApp(options, settings, this.#doors)
        return this.#app.answer
      },
      onFailed: (error) => options.onFailure({ id: '', action: 'load', error }),
    })
  }

  /** For tests, once `load` has resolved: `inject` makes calls without a socket. */
  get app(): FastifyInstance {
    if (this.#app === undefined) throw new Error('nothing has been loaded yet')
    return this.#app.app
  }

  /** Calls whose handler is at work. */
  get callCount(): number {
    return this.#app?.callCount ?? 0
  }

  get streamCount(): number {
    return this.#app?.streamCount ?? 0
  }

  get sessionCount(): number {
    return this.#app?.sessionCount ?? 0
  }

  /** What the first call would load. Rejects with RangeError for a handler whose route has no schemas, or is there twice. */
  async load(): Promise<void> {
    await this.#doors.load()
  }

  /** Port 0 lets the system choose. Rejects with the error of the system. */
  listen(at: PortAddress): Promise<PortAddress> {
    return this.#doors.listen(at)
  }

  /** Whoever may open the socket is an administrator: only its owner may. What was left at `path` is replaced. */
  listenSocket(path: string): Promise<void> {
    return this.#doors.listenSocket(path)
  }

  /** For TLS connections from now on. Throws the error of TLS; then those before stay. */
  useCertificate(tls: ServerTls): void {
    this.#doors.useCertificate(tls)
  }

  /** Ends streams and waiting calls, gives the others a second, and cuts what is left. */
  async close(): Promise<void> {
    this.#app?.endAll()
    await this.#doors.close()
    await this.#app?.close()
  }
}
