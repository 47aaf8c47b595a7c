/** Whether the broker answers, and since when not: what the bar on top shows. */

export interface ConnectionState {
  readonly lost: boolean
  /** Of the last answer before it was lost: what is shown is from then. */
  readonly answeredAtMs: number
}

/** Apart from the state: an answer each second is no news to anybody. */
let answeredAtMs = Date.now()
let state: ConnectionState = { lost: false, answeredAtMs }
const listeners = new Set<() => void>()

export function connectionState(): ConnectionState {
  return state
}

export function onConnectionState(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function reportAnswer(): void {
  answeredAtMs = Date.now()
  if (state.lost) change(false)
}

export function reportLoss(): void {
  if (!state.lost) change(true)
}

function change(lost: boolean): void {
  state = { lost, answeredAtMs }
  for (const listener of listeners) listener()
}
