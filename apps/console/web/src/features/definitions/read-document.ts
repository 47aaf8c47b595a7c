/** Documents of definitions: what somebody types or opens, read when he rests, YAML or JSON as commands take it; and what the broker has, as YAML. */
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

/** For the worker: what it answers is a `ReadDocument`, or the text. */
export type DocumentWork = { readonly read: string } | { readonly write: Definitions }

const NOTHING: ReadDocument = {}
const NO_SCRIPT = 'The page could not load what reads and writes documents; load it again'

export function useDocument(text: string): ReadDocument {
  const [rested] = useDebouncedValue(text, TYPING_MS)
  const [last, setLast] = useState<ReadDocument & { readonly of: string }>({ of: '' })
  useEffect(() => {
    if (rested.trim() === '') return undefined
    const done = (read: ReadDocument): void => setLast({ ...read, of: rested })
    return work<ReadDocument>(
      { read: rested },
      (read) => done(read.wrong === undefined ? read : { wrong: asSentence(read.wrong) }),
      () => done({ wrong: NO_SCRIPT }),
    )
  }, [rested])
  return last.of === text ? last : NOTHING
}

/** Neither while nothing has been written. */
export interface WrittenDocument {
  readonly text?: string
  readonly wrong?: string
}

export function useYaml(definitions: Definitions): WrittenDocument {
  const [last, setLast] = useState<WrittenDocument & { readonly of?: Definitions }>({})
  useEffect(() => {
    const done = (written: WrittenDocument): void => setLast({ ...written, of: definitions })
    return work<string>(
      { write: definitions },
      (text) => done({ text }),
      () => done({ wrong: NO_SCRIPT }),
    )
  }, [definitions])
  return last.of === definitions ? last : {}
}

/** Returns what ends it. */
function work<A>(asked: DocumentWork, onAnswer: (answer: A) => void, onError: () => void): () => void {
  const worker = new Worker(new URL('./document-worker.ts', import.meta.url), { type: 'module' })
  worker.addEventListener('message', ({ data }: MessageEvent<A>) => onAnswer(data))
  worker.addEventListener('error', onError)
  worker.postMessage(asked)
  return () => worker.terminate()
}
