import { describe, expect, it } from 'vitest'
import { saslPrep } from './saslprep.ts'

/** The table of RFC 4013 §3. */
const EXAMPLES = [
  { name: 'drops a soft hyphen', input: 'I\u00adX', text: 'IX' },
  { name: 'leaves plain letters alone', input: 'user', text: 'user' },
  { name: 'keeps case', input: 'USER', text: 'USER' },
  { name: 'normalises the feminine ordinal', input: '\u00aa', text: 'a' },
  { name: 'normalises the roman nine', input: '\u2168', text: 'IX' },
]

describe('saslPrep', () => {
  for (const { name, input, text } of EXAMPLES) {
    it(`${name} [RFC 4013 §3]`, () => {
      expect(saslPrep(input)).toEqual({ ok: true, text })
    })
  }

  it('refuses a control character and names it [RFC 4013 §3]', () => {
    expect(saslPrep('\u0007')).toEqual({ ok: false, problem: 'holds U+0007, which RFC 4013 §2.3 prohibits' })
  })

  it('refuses right-to-left text that does not end with it [RFC 4013 §3]', () => {
    expect(saslPrep('\u0627\u0031').ok).toBe(false)
  })

  it('accepts right-to-left text around a digit', () => {
    expect(saslPrep('\u0627\u0031\u0628')).toEqual({ ok: true, text: '\u0627\u0031\u0628' })
  })

  it('refuses a left-to-right letter inside right-to-left text', () => {
    expect(saslPrep('\u0627a\u0628').ok).toBe(false)
  })

  it('turns every space into U+0020', () => {
    expect(saslPrep('a\u00a0b\u3000c')).toEqual({ ok: true, text: 'a b c' })
  })

  it('gives a composed and a decomposed letter the same form', () => {
    expect(saslPrep('e\u0301')).toEqual(saslPrep('\u00e9'))
  })

  it('accepts letters and signs younger than Unicode 3.2', () => {
    expect(saslPrep('\u{1f511}\u1e9e')).toEqual({ ok: true, text: '\u{1f511}\u1e9e' })
  })

  const PROHIBITED = [
    ['NUL', '\0'],
    ['DEL', '\u007f'],
    ['a C1 control', '\u0085'],
    ['a line separator', '\u2028'],
    ['a private character', '\ue000'],
    ['a noncharacter', '\uffff'],
    ['a noncharacter of another plane', '\u{1fffe}'],
    ['half a surrogate pair', '\ud800'],
    ['the replacement character', '\ufffd'],
    ['an ideographic description character', '\u2ff0'],
    ['a text direction override', '\u202e'],
    ['a direction isolate', '\u2066'],
    ['a tag character', '\u{e0041}'],
    ['an unassigned character', '\u0378'],
  ] as const
  for (const [name, character] of PROHIBITED) {
    it(`refuses ${name}`, () => {
      expect(saslPrep(`a${character}b`).ok).toBe(false)
    })
  }

  it('is finished after one pass', () => {
    for (const { text } of EXAMPLES) expect(saslPrep(text)).toEqual({ ok: true, text })
  })
})
