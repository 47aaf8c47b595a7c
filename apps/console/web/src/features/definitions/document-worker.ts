/** Reads documents beside the page, which a large one would hold up for seconds; with the parser that commands have. */
import type { Definitions } from '@ternmq/api'
import { readYaml } from '@ternmq/config/yaml-document'
import type { ReadDocument } from './read-document.ts'

addEventListener('message', ({ data }: MessageEvent<string>) => postMessage(read(data)))

function read(text: string): ReadDocument {
  try {
    return { definitions: readYaml(text) as Definitions }
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) }
  }
}
