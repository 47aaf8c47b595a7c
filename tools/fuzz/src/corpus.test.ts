import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

import { keepInCorpus, readCorpus } from './corpus.ts'
import { FUZZERS, fuzzerNamed } from './fuzzers.ts'

describe('what was found once is found no more', () => {
  const entries = readCorpus().filter(({ fuzzer }) => fuzzer !== 'failing')

  test.each(FUZZERS.map(({ name }) => name))('%s has inputs in the corpus', (name) => {
    expect(entries.some(({ fuzzer }) => fuzzer === name)).toBe(true)
  })

  test.each(entries.map(({ fuzzer, file, input }) => [`${fuzzer}/${file}`, fuzzer, input]))(
    '%s',
    async (_, fuzzer, input) => {
      expect(await fuzzerNamed(fuzzer).replay(input)).toBeUndefined()
    },
  )
})

test('an input that still fails fails when it is replayed', () => {
  const [entry] = readCorpus().filter(({ fuzzer }) => fuzzer === 'failing')
  expect(() => fuzzerNamed('failing').replay(entry!.input)).toThrow('it met the bad line')
})

test('what is kept can be read again', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ternmq-corpus-'))
  try {
    expect(keepInCorpus('failing', 'x', 'two\nlines', 'a\nb\n', folder)).toBe('tools/fuzz/corpus/failing/x.txt')
    expect(readCorpus(folder)).toEqual([{ fuzzer: 'failing', file: 'x.txt', input: '# two lines\na\nb\n' }])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
