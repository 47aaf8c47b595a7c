/** One client of the page Try it: its connection, what it has subscribed to, and what went in and out. */
import { useCallback, useEffect, useRef, useState } from 'react'
import type { TryClient, TryMessage, TryOptions, TryProtocol } from './try-client.ts'

/** Entries that are kept; the oldest go. */
export const LOG_MAX = 200

export interface TryEntry extends TryMessage {
  readonly id: number
  readonly atMs: number
  readonly direction: 'in' | 'out'
}

export interface Try {
  readonly isOpen: boolean
  readonly isBusy: boolean
  readonly problem: string | undefined
  readonly subscribed: readonly string[]
  readonly log: readonly TryEntry[]
  readonly connect: (options: Omit<TryOptions, 'onMessage' | 'onUnsubscribed' | 'onClosed'>) => void
  readonly subscribe: (address: string) => void
  readonly publish: (address: string, body: string) => void
  readonly close: () => void
  readonly clear: () => void
}

export function useTry(protocol: TryProtocol): Try {
  const [client, setClient] = useState<TryClient | undefined>(undefined)
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | undefined>(undefined)
  const [subscribed, setSubscribed] = useState<readonly string[]>([])
  const [log, setLog] = useState<readonly TryEntry[]>([])
  const count = useRef(0)
  const isClosing = useRef(false)

  const note = useCallback((direction: TryEntry['direction'], message: TryMessage): void => {
    const entry = { ...message, direction, id: ++count.current, atMs: Date.now() }
    setLog((before) => [entry, ...before].slice(0, LOG_MAX))
  }, [])

  // The page goes, and its client with it.
  useEffect(() => () => client?.close(), [client])

  const attempt = (work: () => Promise<void>): void => {
    setProblem(undefined)
    work().catch((error: unknown) => setProblem(error instanceof Error ? error.message : String(error)))
  }

  return {
    isOpen: client !== undefined,
    isBusy,
    problem,
    subscribed,
    log,
    connect: (options) => {
      setBusy(true)
      isClosing.current = false
      attempt(async () => {
        try {
          const made = await protocol.connect({
            ...options,
            onMessage: (message) => note('in', message),
            onUnsubscribed: (address, reason) => {
              setSubscribed((before) => before.filter((one) => one !== address))
              setProblem(`Not subscribed to ${address} any more: ${reason}`)
            },
            onClosed: (reason) => {
              setClient(undefined)
              setSubscribed([])
              if (!isClosing.current) setProblem(reason)
            },
          })
          setClient(made)
        } finally {
          setBusy(false)
        }
      })
    },
    subscribe: (address) =>
      attempt(async () => {
        await client?.subscribe(address)
        setSubscribed((before) => (before.includes(address) ? before : [...before, address]))
      }),
    publish: (address, body) =>
      attempt(async () => {
        await client?.publish(address, body)
        note('out', { address, body: new TextEncoder().encode(body), details: [] })
      }),
    close: () => {
      isClosing.current = true
      setClient(undefined)
      setSubscribed([])
    },
    clear: () => setLog([]),
  }
}
