/** Reads and writes documents beside the page, which a large one would hold up for seconds; in the language that commands have. */
import type { Definitions } from '@ternmq/api'
import { asYaml, readYaml } from '@ternmq/config/yaml-document'
import type { DocumentWork, ReadDocument } from './read-document.ts'

addEventListener('message', ({ data }: MessageEvent<DocumentWork>) =>
  postMessage('write' in data ? asYaml(data.write) : read(data.read)),
)

function read(text: string): ReadDocument {
  try {
    return { definitions: readYaml(text) as Definitions }
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) }
  }
}
