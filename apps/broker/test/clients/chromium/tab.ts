/** One tab of the browser, driven over the DevTools protocol: what is in its document, and keys pressed in it. */
import { WebSocket } from 'ws'

import { PATIENCE_MS } from '../../patience.ts'

interface Answer {
  readonly id?: number
  /** Of an event. */
  readonly method?: string
  readonly params?: { readonly name?: string; readonly loaderId?: string }
  readonly result?: {
    /** Of a navigation: what loads the page. */
    readonly loaderId?: string
    readonly result?: { readonly value?: unknown }
    readonly exceptionDetails?: { readonly text: string }
  }
  readonly error?: { readonly message: string }
}

export class Tab implements AsyncDisposable {
  readonly #socket: WebSocket
  readonly #close: () => Promise<unknown>
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  /** Loaders whose page has loaded. The empty page that a tab begins with has one, too, and may be late. */
  readonly #loaded = new Set<string>()
  #onLoad: () => void = () => {}
  #lastId = 0

  /** In an empty tab whose own URL, as the browser names it, is `control`: resolves when the page is loaded. `close` closes the tab. */
  static async open(control: string, page: string, close: () => Promise<unknown>): Promise<Tab> {
    const socket = new WebSocket(control, { perMessageDeflate: false })
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    const tab = new Tab(socket, close)
    await tab.#ask('Page.enable', {})
    await tab.#ask('Page.setLifecycleEventsEnabled', { enabled: true })
    const { loaderId = '' } = (await tab.#ask('Page.navigate', { url: page })) ?? {}
    while (!tab.#loaded.has(loaderId)) await new Promise<void>((resolve) => (tab.#onLoad = resolve))
    return tab
  }

  private constructor(socket: WebSocket, close: () => Promise<unknown>) {
    this.#socket = socket
    this.#close = close
    socket.on('message', (data: Buffer) => {
      const answer = JSON.parse(data.toString()) as Answer
      if (answer.id !== undefined) this.#waiting.get(answer.id)?.(answer)
      else if (answer.method === 'Page.lifecycleEvent' && answer.params?.name === 'load') {
        this.#loaded.add(answer.params.loaderId ?? '')
        this.#onLoad()
      }
    })
    socket.on('close', () => {
      for (const answer of this.#waiting.values()) answer({ error: { message: 'the tab is gone' } })
    })
  }

  /** Texts of the elements, in their order. */
  async texts(selector: string): Promise<string[]> {
    const elements = `[...document.querySelectorAll(${JSON.stringify(selector)})]`
    return (await this.#evaluate(`${elements}.map((element) => element.textContent)`)) as string[]
  }

  /** Resolves once there is such an element with this text: the page's own observer says so. */
  async untilText(selector: string, text: string): Promise<void> {
    const seen = `new Promise((resolve) => {
      const look = () => {
        const elements = [...document.querySelectorAll(${JSON.stringify(selector)})]
        if (!elements.some(({ textContent }) => textContent.includes(${JSON.stringify(text)}))) return
        observer.disconnect()
        clearTimeout(timer)
        resolve(true)
      }
      const observer = new MutationObserver(look)
      observer.observe(document, { subtree: true, childList: true, characterData: true })
      const timer = setTimeout(() => resolve(false), ${PATIENCE_MS})
      look()
    })`
    if ((await this.#evaluate(seen)) === true) return
    const there = await this.#evaluate('document.body.innerText')
    throw new Error(
      `no ${selector} with ${JSON.stringify(text)} within ${PATIENCE_MS} ms; the page says:\n${String(there)}`,
    )
  }

  /** As a person does it: into the field, then Enter. */
  async enter(selector: string, text: string): Promise<void> {
    await this.#evaluate(`document.querySelector(${JSON.stringify(selector)}).focus()`)
    await this.#ask('Input.insertText', { text })
    const key = { key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 13, text: '\r' }
    for (const type of ['keyDown', 'keyUp']) await this.#ask('Input.dispatchKeyEvent', { type, ...key })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
    this.#socket.terminate()
  }

  async #evaluate(expression: string): Promise<unknown> {
    const options = { expression, awaitPromise: true, returnByValue: true }
    const { result, exceptionDetails } = (await this.#ask('Runtime.evaluate', options)) ?? {}
    if (exceptionDetails !== undefined) throw new Error(`${exceptionDetails.text} in ${expression}`)
    return result?.value
  }

  async #ask(method: string, params: Readonly<Record<string, unknown>>): Promise<Answer['result']> {
    const id = ++this.#lastId
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve)
      this.#socket.send(JSON.stringify({ id, method, params }))
    })
    this.#waiting.delete(id)
    if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`)
    return answer.result
  }
}
