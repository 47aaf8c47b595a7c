import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AUDIT_FILES_KEPT, RotatedAuditFile } from './audit-file.ts'

let folder = ''
let path = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'audit-'))
  path = join(folder, 'audit.log')
})

afterEach(() => rm(folder, { recursive: true }))

describe('RotatedAuditFile', () => {
  it('adds lines to what is there, for its owner only', async () => {
    await writeFile(path, 'before\n', { mode: 0o600 })
    const file = new RotatedAuditFile(path)
    await file.append(['one', 'two'])
    await file.append(['three'])
    await file.close()
    expect(await readFile(path, 'utf8')).toBe('before\none\ntwo\nthree\n')
    await rm(path)
    await file.append(['anew'])
    await file.close()
    expect((await stat(path)).mode & 0o777).toBe(0o600)
  })

  it('begins a new file before a batch that does not fit, and keeps so many of the full ones', async () => {
    const file = new RotatedAuditFile(path, 10)
    for (let batch = 1; batch <= AUDIT_FILES_KEPT + 3; batch++) await file.append([`batch ${batch}`])
    await file.close()
    expect((await readdir(folder)).sort()).toEqual([
      'audit.log',
      'audit.log.1',
      'audit.log.2',
      'audit.log.3',
      'audit.log.4',
    ])
    expect(await readFile(path, 'utf8')).toBe('batch 7\n')
    expect(await readFile(`${path}.1`, 'utf8')).toBe('batch 6\n')
    expect(await readFile(`${path}.4`, 'utf8')).toBe('batch 3\n')
  })

  it('takes a batch that is larger than a file as a file of its own', async () => {
    const file = new RotatedAuditFile(path, 10)
    await file.append(['much longer than ten bytes'])
    await file.append(['x'])
    await file.close()
    expect(await readFile(`${path}.1`, 'utf8')).toBe('much longer than ten bytes\n')
  })

  it('rejects where nothing can be written, and goes on when it can be again', async () => {
    const file = new RotatedAuditFile(join(folder, 'missing', 'audit.log'))
    await expect(file.append(['lost'])).rejects.toMatchObject({ code: 'ENOENT' })
    await mkdir(join(folder, 'missing'))
    await file.append(['kept'])
    await file.close()
    expect(await readFile(join(folder, 'missing', 'audit.log'), 'utf8')).toBe('kept\n')
  })

  it('gives the lines of the last two files, the newest first, until no more are wanted', async () => {
    const file = new RotatedAuditFile(path, 20)
    const read = async (count: number): Promise<string[]> => {
      const lines: string[] = []
      await file.readBack((line) => lines.push(line) < count)
      return lines
    }
    expect(await read(9)).toEqual([])
    for (const line of ['one', 'two', 'a line of its own', 'drei ü', 'four']) await file.append([line])
    await file.close()
    expect(await read(9)).toEqual(['four', 'drei ü', 'a line of its own'])
    expect(await read(2)).toEqual(['four', 'drei ü'])
  })

  it('ends a line that was cut before the next one', async () => {
    await writeFile(path, '{"cut', { mode: 0o600 })
    const file = new RotatedAuditFile(path)
    await file.append(['one'])
    await file.close()
    expect(await readFile(path, 'utf8')).toBe('{"cut\none\n')
  })
})
