import { loadConfig } from '@ternmq/config'
import { expect, test } from 'vitest'

import { fileLimitWarning, parseOpenFilesMax } from './file-limit.ts'

function configWith(maxConnections: number): Parameters<typeof fileLimitWarning>[0] {
  const loaded = loadConfig({ values: { limits: { maxConnections } } })
  if (!loaded.ok) throw new Error(loaded.errors.join())
  return loaded.config
}

test('the soft limit of open files is read from what the system says', () => {
  const text = `Limit                     Soft Limit           Hard Limit           Units
Max processes             15000                15000                processes
Max open files            1024                 524288               files     `
  expect(parseOpenFilesMax(text)).toBe(1024)
})

test('no limit, and a system that says nothing, are no reason to warn', () => {
  expect(parseOpenFilesMax('Max open files            unlimited            unlimited            files')).toBeUndefined()
  expect(fileLimitWarning(configWith(100_000), undefined)).toBeUndefined()
})

test('fewer files than connections are warned about, with what to do', () => {
  expect(fileLimitWarning(configWith(5_000), 1_024)).toBe(
    'this process may have 1024 files open, so about 960 connections, and 5000 are configured: raise the limit ' +
      '(ulimit -Hn, or LimitNOFILE= of the service), or lower limits.maxConnections',
  )
  expect(fileLimitWarning(configWith(900), 1_024)).toBeUndefined()
})
