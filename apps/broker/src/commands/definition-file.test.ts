import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { readDocument, writeDocument } from './definition-file.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ternmq-definitions-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
})

test('a document takes the place of an older one as a whole, readable by its owner only', () => {
  const file = join(folder, 'all.yaml')
  writeFileSync(file, 'old', { mode: 0o644 })
  const { ino } = statSync(file)
  writeDocument(file, 'new')
  expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual(['new', 0o600])
  expect(statSync(file).ino).not.toBe(ino) // another file, which was complete when it came
  expect(readdirSync(folder)).toEqual(['all.yaml'])
})

test('a link stays one, and what it leads to is replaced', () => {
  mkdirSync(join(folder, 'in'))
  const [file, link] = [join(folder, 'in', 'all.yaml'), join(folder, 'link.yaml')]
  writeFileSync(file, 'old')
  symlinkSync(file, link)
  writeDocument(link, 'new')
  expect([readFileSync(file, 'utf8'), readdirSync(folder)]).toEqual(['new', ['in', 'link.yaml']])
})

test('what is no file is written to, and not replaced', () => {
  writeDocument('/dev/null', 'new')
  expect(statSync('/dev/null').isCharacterDevice()).toBe(true)
})

test('a file that cannot be written is named with the reason, and nothing is left over', () => {
  const file = join(folder, 'none', 'all.yaml')
  expect(() => writeDocument(file, 'new')).toThrow(`cannot write ${file}: ENOENT`)
  expect(readdirSync(folder)).toEqual([])
})

const TAG = "the tag !foo is none of YAML's core schema that fits here; leave it out"

test.each([
  ['a circle', 'a: &x\n  b: *x', '2:6: the alias *x stands within &x, which would have no end'],
  ['a tag of its own', 'a: !foo {}', `1:4: ${TAG}`],
  ['bytes that are not UTF-8', 'a: 1\nb: \xff', '2:4: this is not UTF-8 text; save the file as UTF-8'],
])('of a document with %s, file, line and column are told', async (_, text, sentence) => {
  const file = join(folder, 'all.yaml')
  const bytes = Buffer.from(text, 'latin1')
  writeFileSync(file, bytes)
  const stdin = Readable.from([bytes]) as unknown as NodeJS.ReadStream
  const input = { io: { stdin }, values: {} }
  await expect(readDocument(file, input)).rejects.toThrow(`${file}:${sentence}`)
  await expect(readDocument('-', input)).rejects.toThrow(`standard input:${sentence}`)
})
