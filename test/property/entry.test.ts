import { fromBinary } from '@bufbuild/protobuf'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EntrySchema } from '../../protocols/entries/messages_pb.ts'
import {
  decodeEntry,
  type Entry,
  type EntryFields,
  encodeEntry,
  KIND_IMAGE,
  KIND_RECORD,
  wins
} from '../../protocols/entry.ts'
import type { ContentHash, Md5 } from '../../protocols/hash.ts'
import { pathFault } from '../../protocols/path.ts'
import { readEntryFields } from '../../protocols/read-entry-fields.ts'
import { VERSION_MAX } from '../../protocols/version.ts'
import { WireError } from '../../protocols/wire-error.ts'

const hexOf = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((b) => Buffer.from(b).toString('hex'))
const path = fc
  .string({ minLength: 1, maxLength: 40, unit: 'grapheme' })
  .filter((s) => pathFault(s) === undefined)
const common = {
  path,
  version: fc.bigInt(1n, VERSION_MAX),
  writer: fc.constantFrom('12D3KooWa', '12D3KooWb'),
  replaces: fc.option(fc.bigInt(0n, VERSION_MAX), { nil: undefined }),
  createdMs: fc.nat(2 ** 43)
}
const live = fc.record({
  ...common,
  kind: fc.constant(KIND_IMAGE),
  deleted: fc.constant(false),
  hash: hexOf(32) as fc.Arbitrary<ContentHash>,
  md5: hexOf(16) as fc.Arbitrary<Md5>,
  bytes: fc.nat(2 ** 40),
  mediaType: fc.constantFrom('image/jpeg', 'application/octet-stream'),
  width: fc.option(fc.nat(2 ** 31), { nil: undefined }),
  height: fc.option(fc.nat(2 ** 31), { nil: undefined }),
  sourceUrl: fc.option(fc.webUrl(), { nil: undefined })
})
const tombstone = fc.record({
  ...common,
  kind: fc.constant(KIND_IMAGE),
  deleted: fc.constant(true),
  bytes: fc.constant(0),
  mediaType: fc.constant('')
})
const record = fc.record({
  ...common,
  kind: fc.constant(KIND_RECORD),
  deleted: fc.constant(false),
  bytes: fc.constant(0),
  mediaType: fc.constant(''),
  value: fc.uint8Array({ minLength: 1, maxLength: 4096 })
})
const fields: fc.Arbitrary<EntryFields> = fc.oneof(live, tombstone, record)
const entry = fields.map(encodeEntry)

/** Bytes as they were written, or with some of them changed, taken out or put in. */
const bytes = fc
  .tuple(
    entry,
    fc.array(fc.record({ at: fc.nat(600), out: fc.nat(3), put: fc.uint8Array({ maxLength: 3 }) }), {
      maxLength: 3
    })
  )
  .map(([{ raw }, changes]) => {
    const all = [...raw]
    for (const { at, out, put } of changes) all.splice(at % all.length, out, ...put)
    return Uint8Array.from(all)
  })

const plain = (fields: object) =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, value instanceof Uint8Array ? [...value] : value])
  )

/** What the quick reader says, in the words of the general one. */
function generally(raw: Uint8Array) {
  const { $typeName, $unknown, ...fields } = fromBinary(EntrySchema, raw)
  return fields
}

describe('entries', () => {
  test('are the same to the quick reader as to the general one, or left to it', () => {
    fc.assert(
      fc.property(bytes, (raw) => {
        const quick = readEntryFields(raw)
        if (quick !== undefined) expect(plain(quick)).toEqual(plain(generally(raw)))
      }),
      { numRuns: 2000 }
    )
    fc.assert(
      fc.property(entry, ({ raw, path, mediaType, sourceUrl = '' }) => {
        const isAscii = /^[\0-\x7f]*$/.test(path + mediaType + sourceUrl)
        expect(readEntryFields(raw) !== undefined).toBe(isAscii)
      })
    )
  })

  test('come back as they were written', () => {
    fc.assert(
      fc.property(fields, (given) => {
        const { raw, id, ...read } = decodeEntry(encodeEntry(given).raw)
        expect(id).toHaveLength(32)
        expect({ ...read, value: read.value && [...read.value] }).toEqual({
          hash: undefined,
          md5: undefined,
          width: undefined,
          height: undefined,
          sourceUrl: undefined,
          ...given,
          value: given.value && [...given.value]
        })
      })
    )
  })

  test('keep the bytes of fields that this program does not know', () => {
    fc.assert(
      fc.property(entry, (one) => {
        // field 127, three bytes
        const unknown = Uint8Array.from([...one.raw, 0xfa, 0x07, 0x03, 1, 2, 3])
        expect([...decodeEntry(unknown).raw]).toEqual([...unknown])
        expect(decodeEntry(unknown).path).toBe(one.path)
        expect(decodeEntry(unknown).id).not.toEqual(one.id)
      })
    )
  })

  test('of unknown kinds are read and kept', () => {
    fc.assert(
      fc.property(record, fc.integer({ min: 3, max: 2 ** 32 - 1 }), (given, kind) => {
        expect(decodeEntry(encodeEntry({ ...given, kind }).raw).kind).toBe(kind)
      })
    )
  })

  test('random and mutilated bytes throw WireError or are well formed, nothing else', () => {
    const mutilated = fc
      .tuple(entry, fc.nat(), fc.nat(255), fc.nat())
      .map(([{ raw }, at, byte, cut]) => {
        const bytes = Uint8Array.from(raw)
        bytes[at % bytes.length] = byte
        return bytes.subarray(0, 1 + (cut % bytes.length))
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutilated), (bytes) => {
        try {
          const read = decodeEntry(bytes)
          if (read.kind === KIND_IMAGE) expect(pathFault(read.path)).toBeUndefined()
        } catch (error) {
          expect(error).toBeInstanceOf(WireError)
        }
      }),
      { numRuns: 2000 }
    )
  })

  test('wins is a strict total order: merging commutes, associates and repeats', () => {
    const merge = (a: Entry, b: Entry) => (wins(a, b) ? a : b)
    const sameVersion = fc.constantFrom(1n, 2n)
    const close = fc
      .tuple(fields, sameVersion)
      .map(([f, version]) => encodeEntry({ ...f, version }))
    fc.assert(
      fc.property(close, close, close, (a, b, c) => {
        const id = (e: Entry) => Buffer.from(e.id).toString('hex')
        expect(id(merge(a, a))).toBe(id(a))
        expect(id(merge(a, b))).toBe(id(merge(b, a)))
        expect(id(merge(merge(a, b), c))).toBe(id(merge(a, merge(b, c))))
      })
    )
  })

  test('golden bytes of version 1', () => {
    const golden = encodeEntry({
      kind: KIND_IMAGE,
      path: 'cats/tom.jpg',
      deleted: false,
      hash: 'ab'.repeat(32) as ContentHash,
      md5: 'cd'.repeat(16) as Md5,
      version: 0x0123456789abcdefn,
      writer: '12D3KooWtest',
      replaces: 1n,
      bytes: 300,
      mediaType: 'image/jpeg',
      width: 640,
      height: 480,
      sourceUrl: 'http://example.org/tom',
      createdMs: 1_700_000_000_000
    })
    expect(Buffer.from(golden.raw).toString('hex')).toMatchInlineSnapshot(
      `"0801120c636174732f746f6d2e6a70672220abababababababababababababababababababababababababababababababab29efcdab8967452301320c313244334b6f6f57746573743901000000000000004210cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd48ac02520a696d6167652f6a70656758800560e0036a16687474703a2f2f6578616d706c652e6f72672f746f6d7080d095ffbc31"`
    )
    expect(Buffer.from(golden.id).toString('hex')).toMatchInlineSnapshot(
      `"4fdec7c962b294824043bbc0128d666c2327fc77c0bc06efdb2459a7fdcbd4e0"`
    )
  })
})
