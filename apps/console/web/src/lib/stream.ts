/**
 * One stream of server-sent events for the whole tab, whatever is watched: browsers allow few connections to one server. It opens with
 * the first watcher, opens anew when the set of what is watched changes, and again, later and later, after it has broken. One on which
 * nothing comes any more is broken, too: a broker that hangs, or a network that drops everything, closes nothing.
 */
import { pathOf, STREAM_SILENCE_MAX_MS, type StreamEvents, watchStream } from '@ternmq/api'
import { useEffect, useEffectEvent, useSyncExternalStore } from 'react'
import { addressOf } from './base.ts'
import { reportAnswer, reportLoss } from './connection-state.ts'
import { Silence } from './silence.ts'

const KINDS = [
  'overview',
  'queue',
  'connection',
  'event',
  'operation',
  'gone',
  'missed',
  'heartbeat',
] as const satisfies ReadonlyArray<keyof StreamEvents>
const RECONNECT_MIN_MS = 1_000
const RECONNECT_MAX_MS = 15_000

export type StreamEvent = {
  readonly [K in keyof StreamEvents]: { readonly kind: K; readonly data: StreamEvents[K] }
}[keyof StreamEvents]
type Listener = (event: StreamEvent) => void

/** What a stream needs of EventSource; tests give their own. */
export interface Source {
  addEventListener(kind: string, listener: (event: MessageEvent<string>) => void): void
  onopen: ((event: Event) => void) | null
  onerror: ((event: Event) => void) | null
  close(): void
}

export interface StreamOptions {
  readonly open: (watch: string) => Source
  /** Called when the stream has begun, and when it has ended without being asked to. */
  readonly onChange?: (isOpen: boolean) => void
  /** Called at each event. */
  readonly onHeard?: () => void
}

export class LiveStream {
  readonly #options: StreamOptions
  readonly #watchers = new Map<string, Set<Listener>>()
  readonly #stateListeners = new Set<() => void>()
  #source: Source | undefined
  #silence: Silence | undefined
  #opened = ''
  #isOpen = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #failedCount = 0

  constructor(options: StreamOptions) {
    this.#options = options
  }

  /** False while it is broken, and while nobody watches. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  readonly onState = (listener: () => void): (() => void) => {
    this.#stateListeners.add(listener)
    return () => this.#stateListeners.delete(listener)
  }

  /** `watch` as in the API: `overview`, `queue:NAME` with the name percent-encoded. Every watcher gets every event, and picks its own. Returns how to stop. */
  watch(watch: string, listener: Listener): () => void {
    const listeners = this.#watchers.get(watch) ?? new Set()
    listeners.add(listener)
    this.#watchers.set(watch, listeners)
    this.#plan(0)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#watchers.get(watch) === listeners) this.#watchers.delete(watch)
      this.#plan(0)
    }
  }

  /** A page that goes and one that comes change the set twice in one turn: once is enough. */
  #plan(delayMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#adjust(), delayMs)
  }

  #adjust(): void {
    const wanted = [...this.#watchers.keys()].sort().join(',')
    if (wanted === this.#opened && this.#source !== undefined) return
    this.#close()
    if (wanted === '') return
    this.#opened = wanted
    const source = this.#options.open(wanted)
    this.#source = source
    const silence = new Silence(STREAM_SILENCE_MAX_MS, () => this.#onBroken(source))
    this.#silence = silence
    source.onopen = () => {
      silence.heard()
      this.#failedCount = 0
      this.#setOpen(true)
      this.#options.onChange?.(true)
    }
    source.onerror = () => this.#onBroken(source)
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        silence.heard()
        this.#options.onHeard?.()
        this.#onEvent(kind, event.data)
      })
    }
  }

  #onEvent(kind: keyof StreamEvents, text: string): void {
    const event = { kind, data: JSON.parse(text) as unknown } as StreamEvent
    for (const listeners of this.#watchers.values()) for (const listener of listeners) listener(event)
  }

  /** EventSource gives up on some failures and not on others: opening it anew is the same for all. */
  #onBroken(source: Source): void {
    if (source !== this.#source) return
    this.#close()
    this.#options.onChange?.(false)
    this.#plan(Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * 2 ** this.#failedCount++))
  }

  #close(): void {
    this.#silence?.end()
    this.#source?.close()
    this.#source = undefined
    this.#opened = ''
    this.#setOpen(false)
  }

  #setOpen(isOpen: boolean): void {
    if (this.#isOpen === isOpen) return
    this.#isOpen = isOpen
    for (const listener of this.#stateListeners) listener()
  }
}

const stream = new LiveStream({
  open: (watch) => new EventSource(`${addressOf(pathOf(watchStream))}?watch=${encodeURIComponent(watch)}`),
  onChange: (isOpen) => (isOpen ? reportAnswer() : reportLoss()),
  onHeard: reportAnswer,
})

/** Watches while the component is there; `undefined` watches nothing. */
export function useStream(watch: string | undefined, onEvent: Listener): void {
  const listener = useEffectEvent(onEvent)
  useEffect(() => (watch === undefined ? undefined : stream.watch(watch, (event) => listener(event))), [watch])
}

export function useIsLive(): boolean {
  return useSyncExternalStore(stream.onState, () => stream.isOpen)
}
