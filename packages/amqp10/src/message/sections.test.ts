import { describe, expect, test } from 'vitest'
import { Descriptor } from '../codec/descriptors.ts'
import { AmqpFault } from '../codec/faults.ts'
import { binary, type Encoded, list, map, section, string, symbol } from '../../test/random-payloads.ts'
import { readSections, Sections } from './sections.ts'

const HEADER = section(Descriptor.header, list([[0x41]]))
const DELIVERY = section(Descriptor.deliveryAnnotations, map([symbol('x-opt-a'), [0x40]]))
const ANNOTATIONS = section(Descriptor.messageAnnotations, map([symbol('x-opt-b'), [0x41]]))
const PROPERTIES = section(Descriptor.properties, list([string('id')]))
const APPLICATION = section(Descriptor.applicationProperties, map([string('a'), [0x41]]))
const DATA = section(Descriptor.data, binary([1, 2, 3]))
const SEQUENCE = section(Descriptor.amqpSequence, list([[0x41]]))
const VALUE = section(Descriptor.amqpValue, [0x41])
const TEXT = section(Descriptor.amqpValue, string('abc'))
const FOOTER = section(Descriptor.footer, map([]))

function read(...parts: readonly Encoded[]): Sections {
  const bytes = Uint8Array.from(parts.flat())
  const sections = new Sections()
  readSections(bytes, 0, bytes.length, sections)
  return sections
}

describe('a message', () => {
  test('with all its sections', () => {
    const sections = read(HEADER, DELIVERY, ANNOTATIONS, PROPERTIES, APPLICATION, DATA, FOOTER)
    const keptStart = HEADER.length + DELIVERY.length
    const bodyStart = keptStart + ANNOTATIONS.length + PROPERTIES.length + APPLICATION.length
    expect(sections).toMatchObject({
      headerAt: 3,
      deliveryAnnotationsAt: HEADER.length + 3,
      keptStart,
      annotationsAt: keptStart + 3,
      annotationsEnd: keptStart + ANNOTATIONS.length,
      propertiesAt: keptStart + ANNOTATIONS.length + 3,
      applicationAt: bodyStart - APPLICATION.length + 3,
      bodyKind: 'data-many',
      bodyStart,
      bodyAt: bodyStart + 3,
      contentStart: -1,
      footerAt: bodyStart + DATA.length + 3,
      end: bodyStart + DATA.length + FOOTER.length,
    })
    expect([...sections.header]).toEqual([6, -1, -1, -1, -1])
    expect(sections.properties[0]).toBe(sections.propertiesAt + 3)
  })

  test.each<[string, readonly Encoded[], Partial<Sections>]>([
    ['one data section', [DATA], { bodyKind: 'data', contentStart: 5, contentEnd: 8, isText: false }],
    ['long data', [section(Descriptor.data, binary([1], false))], { bodyKind: 'data', contentStart: 8, contentEnd: 9 }],
    ['several data sections', [DATA, DATA], { bodyKind: 'data-many', contentStart: -1, bodyAt: 3 }],
    ['sequences', [SEQUENCE, SEQUENCE], { bodyKind: 'sequence', contentStart: -1 }],
    ['a value', [VALUE], { bodyKind: 'value', contentStart: -1 }],
    ['a text', [TEXT], { bodyKind: 'value', contentStart: 5, contentEnd: 8, isText: true }],
    ['a text and a footer', [TEXT, FOOTER], { bodyKind: 'value', contentStart: -1 }],
    ['no body', [PROPERTIES], { bodyKind: 'none', bodyStart: PROPERTIES.length, contentStart: -1 }],
    ['nothing', [], { bodyKind: 'none', keptStart: 0, end: 0 }],
  ])('with %s', (_what, parts, expected) => {
    expect(read(...parts)).toMatchObject(expected)
  })

  test('nothing of the one before is left', () => {
    const sections = new Sections()
    const both = [HEADER, DELIVERY, ANNOTATIONS, PROPERTIES, APPLICATION, DATA, FOOTER].flat()
    readSections(Uint8Array.from(both), 0, both.length, sections)
    readSections(Uint8Array.from(TEXT), 0, TEXT.length, sections)
    expect({ ...sections, header: 0, properties: 0 }).toEqual({ ...read(TEXT), header: 0, properties: 0 })
  })
})

describe('a message is refused on its link', () => {
  const cut = DATA.slice(0, -1)
  const wide = [0, 0x53, 0x75, 0xb0, 0xff, 0xff, 0xff, 0xff, 1]
  test.each<[string, readonly Encoded[], RegExp]>([
    ['that has a section twice', [PROPERTIES, PROPERTIES], /^message: the properties section is there twice$/],
    ['that has two values', [VALUE, VALUE], /body has the amqp-value section and the amqp-value section/],
    [
      'that has sections in disorder',
      [PROPERTIES, HEADER],
      /^message: the header section comes behind the properties section/,
    ],
    [
      'that has a section behind its body',
      [DATA, APPLICATION],
      /the application-properties section comes behind the data section/,
    ],
    ['that has something behind its footer', [FOOTER, DATA], /the data section comes behind the footer section/],
    ['that has data and a value', [DATA, VALUE], /^message: its body has the data section and the amqp-value section/],
    [
      'that has a sequence and data',
      [SEQUENCE, DATA],
      /^message: its body has the amqp-sequence section and the data section/,
    ],
    ['that has something else', [[0x40]], /^message: what begins with the byte 0x40 is none of the sections/],
    ['that has another section', [section(0x79, [0x40])], /^message: the descriptor 0x79 is none of the sections/],
    ['that ends in a descriptor', [[0, 0x53]], /none of the sections/],
    ['that ends before a value', [[0, 0x53, 0x77]], /^message: the amqp-value section has no value$/],
    ['whose data is cut off', [cut], /^message: a data section says to have 3 bytes where 2 are left$/],
    ['whose data is cut off in its size', [[0, 0x53, 0x75, 0xb0, 0, 0]], /the size of a data section is cut off/],
    ['whose data is larger than all', [wide], /a data section says to have 4294967295 bytes where 1 are left/],
    [
      'whose data is a string',
      [section(Descriptor.data, string('a'))],
      /the data section has the constructor 0xa1, which it cannot/,
    ],
    [
      'whose sequence is a map',
      [section(Descriptor.amqpSequence, map([]))],
      /the amqp-sequence section has the constructor 0xc1/,
    ],
    [
      'whose properties are a map',
      [section(Descriptor.properties, map([]))],
      /the properties section has the constructor 0xc1/,
    ],
    [
      'whose annotations are a list',
      [section(Descriptor.messageAnnotations, [0x45])],
      /the message-annotations section has the constructor 0x45/,
    ],
    [
      'whose text is no UTF-8',
      [section(Descriptor.amqpValue, [0xa1, 1, 0xff])],
      /the amqp-value section: a string is not valid UTF-8/,
    ],
    [
      'whose map has no value to a key',
      [section(Descriptor.applicationProperties, [0xc1, 4, 1, 0xa1, 1, 0x61])],
      /each key needs a value/,
    ],
    [
      'whose list is shorter than its count',
      [section(Descriptor.properties, [0xc0, 2, 2, 0x40]), [0x40]],
      /the properties section: a value is missing/,
    ],
    [
      'whose list is longer than its count',
      [section(Descriptor.properties, [0xc0, 3, 1, 0x40, 0x40])],
      /1 bytes behind its 1 elements/,
    ],
    [
      'whose message-id is a number',
      [section(Descriptor.properties, list([[0x54, 1]]))],
      /^message: properties.message-id has the constructor 0x54, which is no id$/,
    ],
    [
      'whose group-sequence is a text',
      [section(Descriptor.properties, list([...Array.from({ length: 11 }, () => [0x40]), string('1')], false))],
      /properties.group-sequence/,
    ],
    [
      'whose ttl is a long',
      [section(Descriptor.header, list([[0x40], [0x40], [0x55, 1]]))],
      /^message: header.ttl has the constructor 0x55, which is no uint$/,
    ],
    [
      'whose header has a sixth field',
      [section(Descriptor.header, list(Array.from({ length: 6 }, () => [0x40])))],
      /^message: the header section has more than its 5 fields$/,
    ],
  ])('%s', (_what, parts, text) => {
    const bytes = Uint8Array.from(parts.flat())
    let fault: unknown
    try {
      readSections(bytes, 0, bytes.length, new Sections())
    } catch (error) {
      fault = error
    }
    expect(fault).toBeInstanceOf(AmqpFault)
    expect(fault).toMatchObject({ level: 'link', condition: 'amqp:decode-error' })
    expect((fault as AmqpFault).message).toMatch(text)
  })
})

test('a body of values without bytes is no way to make others work', () => {
  const many = section(Descriptor.amqpValue, [0xf0, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0x41])
  expect(() => read(many)).toThrow(/arrays have 4294967295 elements without bytes/)
})
