/**
 * Raw octets against the codec alone: every stream is read in one piece and octet by octet, and both must say the same. What an answer
 * to it looks like is for the tests with a connection.
 */
import { expect } from 'vitest'

import { COMMAND_NAMES } from '../../src/codec/commands.ts'
import { FrameSplitter } from '../../src/codec/frame-splitter.ts'
import { DEFAULT_FRAME_LIMITS, type FrameLimits } from '../../src/codec/limits.ts'
import { FrameProblem } from '../../src/codec/problem.ts'
import type { StompVersion } from '../../src/codec/versions.ts'

export interface ReadFrame {
  readonly command: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Outcome {
  readonly frames: ReadFrame[]
  readonly problem: FrameProblem | undefined
}

/** Text is sent as UTF-8; octets that are none come as bytes. */
export function read(version: StompVersion, stream: string | Uint8Array, limits: Partial<FrameLimits> = {}): Outcome {
  const octets = typeof stream === 'string' ? Buffer.from(stream) : stream
  const whole = readPieces(version, [octets], limits)
  const pieces = Array.from(octets, (_, at) => octets.subarray(at, at + 1))
  const byOctet = readPieces(version, pieces, limits)
  expect(byOctet.frames).toEqual(whole.frames)
  expect(byOctet.problem?.rule).toBe(whole.problem?.rule)
  return whole
}

function readPieces(version: StompVersion, pieces: readonly Uint8Array[], limits: Partial<FrameLimits>): Outcome {
  const frames: ReadFrame[] = []
  const splitter = new FrameSplitter()
  try {
    for (const piece of pieces) {
      splitter.read(piece, {
        limits: { ...DEFAULT_FRAME_LIMITS, ...limits },
        version,
        onFrame: (headers, bytes, start, end) => {
          const body = Buffer.from(bytes.subarray(start, end)).toString()
          frames.push({ command: COMMAND_NAMES[headers.command]!, headers: Object.fromEntries(headers.pairs()), body })
          return true
        },
      })
    }
    return { frames, problem: undefined }
  } catch (error) {
    if (error instanceof FrameProblem) return { frames, problem: error }
    throw error
  }
}

/** The frames of a stream that is sound. */
export function framesOf(version: StompVersion, stream: string | Uint8Array): ReadFrame[] {
  const { frames, problem } = read(version, stream)
  expect(problem).toBeUndefined()
  return frames
}

/** Headers of the only frame of a stream. */
export function headersOf(version: StompVersion, stream: string | Uint8Array): Readonly<Record<string, string>> {
  const frames = framesOf(version, stream)
  expect(frames).toHaveLength(1)
  return frames[0]!.headers
}

/** Why a stream is refused. No frame of it was taken. */
export function problemOf(
  version: StompVersion,
  stream: string | Uint8Array,
  limits: Partial<FrameLimits> = {},
): FrameProblem {
  const { frames, problem } = read(version, stream, limits)
  expect(frames).toEqual([])
  if (problem === undefined) throw new Error(`${JSON.stringify(Buffer.from(stream).toString())} is not refused`)
  return problem
}
