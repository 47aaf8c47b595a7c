/** rhea's codec of frames, as a reference for ours: what the one writes the other has to read. */
// @ts-expect-error: rhea declares no types for this file
import frames from 'rhea/lib/frames.js'

import type { Typed } from '../src/codec/rhea-types.ts'

/** Fields by their names with underscores, unwrapped. */
export type Performative = Readonly<Record<string, unknown>> & { readonly value: readonly Typed[] }

export interface ReadFrame {
  readonly size: number
  readonly type: number
  readonly channel: number
  readonly performative?: Performative
  readonly payload?: Buffer
}

type Create = (fields: Readonly<Record<string, unknown>>) => Performative

interface RheaFrames {
  readonly read_frame: (bytes: Buffer) => ReadFrame
  readonly write_frame: (frame: unknown) => Buffer
  readonly amqp_frame: (channel: number, performative: Performative, payload?: Buffer) => unknown
  readonly sasl_frame: (performative: Performative) => unknown
  readonly open: Create
  readonly begin: Create
  readonly attach: Create
  readonly flow: Create
  readonly transfer: Create
  readonly disposition: Create
  readonly detach: Create
  readonly end: Create
  readonly close: Create
  readonly sasl_mechanisms: Create
  readonly sasl_init: Create
  readonly sasl_challenge: Create
  readonly sasl_response: Create
  readonly sasl_outcome: Create
}

export const rheaFrames: RheaFrames = frames as RheaFrames

/** All of the bytes are one frame; read from a copy, as rhea keeps what it reads. */
export function readByRhea(bytes: Uint8Array): ReadFrame {
  return rheaFrames.read_frame(Buffer.from(bytes))
}

export function writtenByRhea(performative: Performative, channel = 0, payload?: Buffer): Buffer {
  return rheaFrames.write_frame(rheaFrames.amqp_frame(channel, performative, payload))
}
