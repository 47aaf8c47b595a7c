/** What somebody types or opens as a document of definitions, read when he rests: YAML or JSON, as commands take it. */
import type { Definitions } from '@ternmq/api'
import { useDebouncedValue } from '@mantine/hooks'
import { useEffect, useState } from 'react'
import { asSentence } from '../../lib/format.ts'

const TYPING_MS = 250

/** Neither while nothing has been read. What it says is looked at by the broker. */
export interface ReadDocument {
  readonly definitions?: Definitions
  /** Why it is none, with line and column. */
  readonly wrong?: string
}

const NOTHING: ReadDocument = {}
const NO_SCRIPT = 'The page could not load what reads documents; load it again'

export function useDocument(text: string): ReadDocument {
  const [rested] = useDebouncedValue(text, TYPING_MS)
  const [last, setLast] = useState<ReadDocument & { readonly of: string }>({ of: '' })
  useEffect(() => {
    if (rested.trim() === '') return undefined
    const worker = new Worker(new URL('./document-worker.ts', import.meta.url), { type: 'module' })
    const done = (read: ReadDocument): void => setLast({ ...read, of: rested })
    worker.addEventListener('message', ({ data }: MessageEvent<ReadDocument>) =>
      done(data.wrong === undefined ? data : { wrong: asSentence(data.wrong) }),
    )
    worker.addEventListener('error', () => done({ wrong: NO_SCRIPT }))
    worker.postMessage(rested)
    return () => worker.terminate()
  }, [rested])
  return last.of === text ? last : NOTHING
}
