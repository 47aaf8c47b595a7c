import { loadConfig } from '@ternmq/config'
import { expect, test } from 'vitest'

import { type FileLimitReport, fileLimitReport, parseOpenFilesMax } from './file-limit.ts'

function reportOf(
  limits: { readonly maxConnections?: number },
  filesMax: number | undefined,
): FileLimitReport | undefined {
  const loaded = loadConfig({ values: { limits } })
  if (!loaded.ok) throw new Error(loaded.errors.join())
  return fileLimitReport(loaded.config, loaded.sources, filesMax)
}

test('the soft limit of open files is read from what the system says', () => {
  const text = `Limit                     Soft Limit           Hard Limit           Units
Max processes             15000                15000                processes
Max open files            1024                 524288               files     `
  expect(parseOpenFilesMax(text)).toBe(1024)
})

test('no limit, and a system that says nothing, are no reason to warn', () => {
  expect(parseOpenFilesMax('Max open files            unlimited            unlimited            files')).toBeUndefined()
  expect(reportOf({ maxConnections: 100_000 }, undefined)).toBeUndefined()
})

test('fewer files than connections are warned about, with what to do', () => {
  expect(reportOf({ maxConnections: 5_000 }, 1_024)).toEqual({
    level: 'warn',
    text:
      'this process may have 1024 files open, so about 960 connections, and 5000 are configured: raise the limit ' +
      '(ulimit -Hn, or LimitNOFILE= of the service), or lower limits.maxConnections',
  })
  expect(reportOf({ maxConnections: 900 }, 1_024)).toBeUndefined()
})

test('where nobody has asked for so many connections, it is no warning', () => {
  expect(reportOf({}, 1_024)).toEqual({
    level: 'info',
    text:
      'this process may have 1024 files open, so about 960 connections; for more raise the limit ' +
      '(ulimit -Hn, or LimitNOFILE= of the service)',
  })
})
