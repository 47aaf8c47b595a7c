/** The course of one queue while its page is open. */
import type { QueueSample } from '@ternmq/api'
import { useState } from 'react'
import { useStream } from '../../lib/stream.ts'
import { mergeSamples } from '../overview/samples.ts'

export function useQueueSamples(queue: string): readonly QueueSample[] {
  const [samples, setSamples] = useState<readonly QueueSample[]>([])
  useStream(`queue:${encodeURIComponent(queue)}`, (event) => {
    if (event.kind === 'queue' && event.data.queue === queue) setSamples((before) => mergeSamples(before, [event.data]))
  })
  return samples
}
