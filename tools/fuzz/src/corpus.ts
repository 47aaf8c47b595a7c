/** Inputs that once found something, or that show what a fuzzer takes: text, one folder for each fuzzer. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface CorpusEntry {
  readonly fuzzer: string
  readonly file: string
  readonly input: string
}

const FOLDER = join(import.meta.dirname, '..', 'corpus')

export function readCorpus(folder: string = FOLDER): CorpusEntry[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name: fuzzer }) =>
      readdirSync(join(folder, fuzzer)).map((file) => ({
        fuzzer,
        file,
        input: readFileSync(join(folder, fuzzer, file), 'utf8'),
      })),
    )
}

/** Returns where it is, from the root of the repository. `comment` becomes the first line. */
export function keepInCorpus(
  fuzzer: string,
  name: string,
  comment: string,
  input: string,
  folder: string = FOLDER,
): string {
  mkdirSync(join(folder, fuzzer), { recursive: true })
  const file = `${name}.txt`
  writeFileSync(join(folder, fuzzer, file), `# ${comment.replaceAll('\n', ' ')}\n${input}`)
  return `tools/fuzz/corpus/${fuzzer}/${file}`
}
