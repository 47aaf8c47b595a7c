/** The fuzzer of the control decoder, in the form that tools/fuzz takes; the work is in src/codec/decode.fuzz.ts. */
import { fuzzControl, readAsFuzzed } from '../../src/codec/decode.fuzz.ts'
import type { MqttVersion } from '../../src/codec/types.ts'
import { hex } from '../wire/bytes.ts'
import { assert, type Fuzzer, FuzzFailure, type FuzzTally, linesOf } from '@ternmq/testkit/fuzzer'

/** End of what `fuzzControl` throws. */
const FOUND = /step (\d+), level (\d): ([0-9a-f]*)$/

export const controlFuzzer: Fuzzer = {
  name: 'control',
  what: 'changed control packets are decoded to something sensible or refused with ProtocolError',

  run(seed: number, iterations: number): FuzzTally {
    try {
      return { ...fuzzControl(seed, iterations) }
    } catch (error) {
      const found = error instanceof Error ? FOUND.exec(error.message) : null
      if (found === null) throw error
      const [, step, version, input] = found
      throw new FuzzFailure(seed, Number(step), `${version} ${input}\n`, (error as Error).cause)
    }
  },

  replay(text: string): void {
    for (const line of linesOf(text)) {
      const [version, input = ''] = line.split(' ')
      assert(/^[345]$/.test(version!), `not a level of MQTT: ${version}`)
      readAsFuzzed(hex(input), Number(version) as MqttVersion)
    }
  },
}
