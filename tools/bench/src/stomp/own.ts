/** Measurements of our own for the page of STOMP. */
import { measureCarriers, measureFanOut, middle } from './measure.ts'
import type { OwnReport } from './page.ts'

const ROUNDS = 3
const ROUND_MS = 3_000

export async function measureOwn(rounds: number = ROUNDS, signal: AbortSignal): Promise<OwnReport> {
  const fanOut = await measureFanOut(rounds, ROUND_MS, signal)
  const { tcp, websocket } = await measureCarriers(rounds, ROUND_MS, signal)
  return { rounds, fanOut: middle(fanOut), tcp: middle(tcp), websocket: middle(websocket) }
}
