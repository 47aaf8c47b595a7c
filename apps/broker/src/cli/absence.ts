/** What commands that go on say of a broker that is away: one that hangs, one that was stopped, a network that is gone. */
import { STREAM_SILENCE_MAX_MS } from '@ternmq/api'
import type { AbsenceObserver, ApiTransport } from '@ternmq/api/client'
import { complain, type ConsoleIo } from '../process/console-io.ts'
import { durationText } from './format.ts'

/** On standard error: what is printed stays what was asked for. */
export function absenceTeller(io: Pick<ConsoleIo, 'stderr' | 'started'>): AbsenceObserver {
  return {
    onAway: (reason, awayMs) => complain(io, [`${awayText(reason, awayMs)}; Ctrl-C ends this`]),
    onBack: (awayMs) => complain(io, [`the broker answers again, after ${durationText(awayMs)}`]),
  }
}

/** 'the broker has been away for 37s; connecting again until it answers (the broker does not answer: nothing has come for 12 s)' */
export function awayText(reason: string, awayMs: number): string {
  const away = awayMs < 1_000 ? 'the broker is away' : `the broker has been away for ${durationText(awayMs)}`
  return `${away}; connecting again until it answers (${reason})`
}

/** The same transport; a call that has no end of its own says that it still waits, and goes on waiting. */
export function tellingDelay(send: ApiTransport, io: Pick<ConsoleIo, 'stderr' | 'started'>): ApiTransport {
  return async (request) => {
    const hasEnd = request.signal !== undefined || request.body?.includes('"waitMs"') === true
    if (hasEnd) return await send(request)
    const text = `no answer from the broker for ${STREAM_SILENCE_MAX_MS / 1_000} s; waiting on, Ctrl-C ends this`
    const timer = setTimeout(() => complain(io, [text]), STREAM_SILENCE_MAX_MS)
    try {
      return await send(request)
    } finally {
      clearTimeout(timer)
    }
  }
}
