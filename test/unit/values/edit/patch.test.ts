import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isJsonObject, type JsonValue } from '../../../../src/core/json.ts'
import { parseJson, stringifyJson } from '../../../../src/core/json-text.ts'
import { pointerOf } from '../../../../src/core/part.ts'
import { atOnce } from '../../../../src/core/steps.ts'
import { editValue } from '../../../../src/values/edit/edit-value.ts'
import { editableValue } from '../../../../src/values/edit/editables.ts'
import { checkEdits, type Edit } from '../../../../src/values/edit/edits.ts'
import { isJson } from '../../../../src/values/edit/json-check.ts'
import { json } from '../../preview/values.ts'

/** Edits a text, which may be JSON. */
function edit(text: string, edits: readonly Edit[], kind: 'text' | 'json') {
  const stored = { kind, text } as const
  const editables = [editableValue(kind, text)]
  return atOnce(editValue(stored, { editables }, checkEdits(edits), { maxLength: 100_000_000 }))
}
const edited = (text: string, ...edits: Edit[]) => edit(text, edits, 'text').stored.text

/** Bytes that no reader and writer of JSON would keep. */
const odd = `{ "b" : 1e400, "a":12345678901234567890,
\t"x\\u0041\\/": "\\u00e9\\ud83d\\ude00", "a2": 0.10, "dup": 1, "dup": 2,
  "rows": [ {"id":1 , "n":-0}, {"id":2, "n":1.0e+2} ] , "1":{},"e": [ ]
}
`

describe('an edit of JSON', () => {
  it('leaves every other byte as it was', () => {
    expect(edited(odd, { op: 'replace', path: '/rows/1/id', value: 3 })).toBe(odd.replace('"id":2', '"id":3'))
    expect(edited(odd, { op: 'replace', path: '/xA~1', value: 'y' })).toBe(
      odd.replace('"\\u00e9\\ud83d\\ude00"', '"y"'),
    )
    expect(edited(odd, { op: 'remove', path: '/rows/0' })).toBe(odd.replace('{"id":1 , "n":-0}, ', ''))
    expect(edited(odd, { op: 'remove', path: '/rows/1' })).toBe(odd.replace(', {"id":2, "n":1.0e+2}', ''))
    expect(edited(odd, { op: 'remove', path: '/b' })).toBe(odd.replace('"b" : 1e400, ', ''))
    expect(edited(odd, { op: 'add', path: '/e/-', value: { big: 1 } })).toBe(
      odd.replace('[ ]', '[{"big" : 1}]'),
    )
  })

  it('moves and copies bytes as they are', () => {
    expect(edited(odd, { op: 'copy', from: '/a', path: '/rows/0/n' })).toBe(
      odd.replace('"n":-0', '"n":12345678901234567890'),
    )
    expect(edited(odd, { op: 'move', from: '/b', path: '/a' })).toBe(
      odd.replace('"b" : 1e400, "a":12345678901234567890', '"a":1e400'),
    )
    expect(edited('[1, 2, 3]', { op: 'move', from: '/0', path: '/2' })).toBe('[2, 3, 1]')
  })

  it('changes the member of several with one key that readers take, and removes them all', () => {
    expect(edited(odd, { op: 'replace', path: '/dup', value: 3 })).toBe(odd.replace('"dup": 2', '"dup": 3'))
    expect(edited(odd, { op: 'remove', path: '/dup' })).toBe(odd.replace('"dup": 1, "dup": 2,\n  ', ''))
  })

  it('writes what is new in the style of its neighbours', () => {
    const pretty = JSON.stringify({ rows: [{ id: 1 }, { id: 2 }], tags: ['a'], none: [], empty: {} }, null, 2)
    const value = JSON.parse(pretty)
    const add = (path: string, added: JsonValue) => edited(pretty, { op: 'add', path, value: added })
    value.rows.splice(1, 0, { id: 9, more: [1] })
    expect(add('/rows/1', { id: 9, more: [1] })).toBe(JSON.stringify(value, null, 2))
    expect(add('/rows/-', { id: 3 })).toBe(
      pretty.replace('      "id": 2\n    }', '      "id": 2\n    },\n    {\n      "id": 3\n    }'),
    )
    expect(add('/tags/0', 'z')).toBe(pretty.replace('"a"', '"z",\n    "a"'))
    expect(add('/none/0', 1)).toBe(pretty.replace('[]', '[\n    1\n  ]'))
    expect(add('/empty/k', 1)).toBe(pretty.replace('{}', '{\n    "k": 1\n  }'))
    expect(add('/last', true)).toBe(pretty.replace('{}\n}', '{},\n  "last": true\n}'))
    expect(edited('{"a": 1, "b": [1, 2]}', { op: 'add', path: '/c', value: { d: [1, 2] } })).toBe(
      '{"a": 1, "b": [1, 2], "c": {"d": [1, 2]}}',
    )
    expect(edited('[1,2]', { op: 'add', path: '/0', value: { a: 0 } })).toBe('[{"a":0},1,2]')
    const windows = pretty.replaceAll('\n', '\r\n')
    expect(edited(windows, { op: 'add', path: '/tags/-', value: [1] })).toBe(
      windows.replace('"a"', '"a",\r\n    [\r\n      1\r\n    ]'),
    )
  })

  it('does what JSON Patch says, whatever the value and its layout', () => {
    const spaces = fc.constantFrom(undefined, 1, 2, '\t')
    fc.assert(
      fc.property(json, json, spaces, fc.nat(), (value, put, space, pick) => {
        const places = [...placesIn(value)]
        const { steps, parent } = places[pick % places.length] as Place
        const text = JSON.stringify(value, null, space)
        const path = pointerOf(steps)
        const edited = (before: string, ...edits: Edit[]) => edit(before, edits, 'json').stored.text
        if (typeof value !== 'object' || value === null) return
        const copy = structuredClone(value)
        const replaced = edited(text, { op: 'replace', path, value: put })
        expect(parseJson(replaced)).toEqual(withValue(copy, steps, put))
        if (steps.length === 0) return
        expect(parseJson(edited(text, { op: 'remove', path }))).toEqual(
          withoutValue(structuredClone(value), steps),
        )
        const target = pointerOf([...steps.slice(0, -1), Array.isArray(parent) ? '-' : 'a new key'])
        const added = edited(text, { op: 'add', path: target, value: put })
        // What is removed again leaves what there was, to the byte.
        const again = Array.isArray(parent) ? pointerOf([...steps.slice(0, -1), `${parent.length}`]) : target
        expect(edited(added, { op: 'remove', path: again })).toBe(text)
      }),
    )
  })

  it('says where a pointer ends, and what is there', () => {
    const refused = (...edits: Edit[]) => {
      try {
        edited(odd, ...edits)
      } catch (error) {
        return (error as Error).message
      }
      return undefined
    }
    expect(refused({ op: 'remove', path: '/rows/7/id' })).toBe(
      'Edit 1 (remove /rows/7/id): Nothing is at /rows/7/id. The deepest part that is there, /rows, is a list with the positions 0 to 1.',
    )
    expect(refused({ op: 'remove', path: '/b' }, { op: 'replace', path: '/rosw', value: 1 })).toContain(
      'Edit 2 (replace /rosw): Nothing is at /rosw. The value itself has the keys rows,',
    )
    expect(refused({ op: 'add', path: '/rows/4', value: 1 })).toContain('positions 0 to 1')
    expect(refused({ op: 'add', path: '/a/b', value: 1 })).toContain('/a, is 12345678901234567890')
    expect(refused({ op: 'test', path: '/rows/0/id', value: 2 })).toContain('there is 1')
    expect(refused({ op: 'move', from: '/rows', path: '/rows/0' })).toContain('into itself')
    expect(refused({ op: 'test', path: '/a', value: 12345678901234567000 })).toContain('12345678901234567890')
    expect(() => edited('no json', { op: 'remove', path: '/a' })).toThrow(/no JSON: use \{"find"/)
    expect(refused({ op: 'test', path: '/a2', value: 0.1 })).toBeUndefined()
  })

  it('refuses what is no list of edits', () => {
    for (const edits of [
      [],
      [1],
      [{ op: 'put', path: '' }],
      [{ op: 'add', path: '/a' }],
      [{ op: 'remove', path: 'a' }],
      [{ find: '' }],
    ]) {
      expect(() => checkEdits(edits), JSON.stringify(edits)).toThrow(
        expect.objectContaining({ code: 'invalid_argument' }),
      )
    }
    expect(() => checkEdits([{ find: 'a', replace: 'b', al: true }])).toThrow(/'all'/)
  })

  it('tells JSON from other texts as JSON.parse does', () => {
    const long = 'x'.repeat(70_000)
    for (const text of [odd, '[]', `["${long}"]`, `{"a":[1,{"b":"${long}"},-1.5e3,true,null]}`]) {
      expect(atOnce(isJson(text))).toBe(true)
    }
    const broken = [
      `["${long}",]`,
      `{"a" "${long}"}`,
      `["${long}"`,
      `"${long}`,
      `["${long}"]]`,
      `["${long}\n"]`,
      `["${long}\\x"]`,
      `[01,"${long}"]`,
      `{"a":1,"${long}"}`,
      `{,"${long}":1}`,
    ]
    for (const text of [...broken, '', '{']) expect(atOnce(isJson(text)), text.slice(0, 20)).toBe(false)
  })
})

interface Place {
  readonly steps: string[]
  readonly parent: JsonValue | undefined
}

function* placesIn(value: JsonValue, steps: string[] = [], parent?: JsonValue): Iterable<Place> {
  yield { steps, parent }
  const entries = Array.isArray(value)
    ? [...value.entries()]
    : isJsonObject(value)
      ? Object.entries(value)
      : []
  for (const [step, member] of entries) yield* placesIn(member as JsonValue, [...steps, `${step}`], value)
}

function withValue(value: JsonValue, steps: readonly string[], put: JsonValue): JsonValue {
  if (steps.length === 0) return put
  Object.defineProperty(parentOf(value, steps), steps.at(-1) as string, {
    value: put,
    enumerable: true,
    writable: true,
    configurable: true,
  })
  return parseJson(stringifyJson(value))
}

function withoutValue(value: JsonValue, steps: readonly string[]): JsonValue {
  const parent = parentOf(value, steps)
  if (Array.isArray(parent)) parent.splice(Number(steps.at(-1)), 1)
  else delete (parent as Record<string, JsonValue>)[steps.at(-1) as string]
  return value
}

function parentOf(value: JsonValue, steps: readonly string[]): object {
  let parent = value
  for (const step of steps.slice(0, -1)) parent = (parent as Record<string, JsonValue>)[step] as JsonValue
  return parent as object
}

describe('an edit that makes a value larger', () => {
  const tooLarge = expect.objectContaining({ code: 'value_too_large' })
  const limited = (text: string, edits: readonly Edit[], kind: 'text' | 'json' = 'json') =>
    atOnce(
      editValue({ kind, text }, { editables: [editableValue(kind, text)] }, checkEdits(edits), {
        maxLength: 10_000,
      }),
    )
  const doubling = Array.from({ length: 50 }, (_, n): Edit => ({ op: 'copy', from: '', path: `/c${n}` }))

  it('ends at once where copies of copies become larger than what is stored', () => {
    const text = JSON.stringify({ a: 'x'.repeat(1_000) })
    expect(() => limited(text, doubling)).toThrow(tooLarge)
    expect(() => limited(text, doubling)).toThrow(/^Edit 4 \(copy \/c3\)/)
    expect(() => limited(text, doubling, 'text')).toThrow(tooLarge)
    expect(limited(text, doubling.slice(0, 3)).stored.text.length).toBeGreaterThan(8_000)
  })

  it('counts all texts of a result together, and what is removed as free', () => {
    const add = (n: number): Edit => ({ op: 'add', path: `/k${n}`, value: 'x'.repeat(3_000) })
    expect(() => limited('{}', [add(1), add(2), add(3), add(4)])).toThrow(/^Edit 4/)
    const turns = [1, 2, 3, 4, 5].flatMap((n): Edit[] => [add(n), { op: 'remove', path: `/k${n}` }])
    expect(limited('{}', turns).stored.text).toBe('{}')
    const replace = (value: JsonValue): Edit => ({ op: 'replace', path: '', value })
    expect(() => limited('"a"', [replace('x'.repeat(10_001))], 'text')).toThrow(tooLarge)
  })

  it('is held to its limit with the white space of its neighbours', () => {
    const wide = `[\n${' '.repeat(5_000)}0\n]`
    const list = Array.from({ length: 100_000 }, () => 0)
    expect(() => limited(wide, [{ op: 'add', path: '/-', value: list }])).toThrow(tooLarge)
  })

  it('reads no more than a limit: so many edits of so large a value', () => {
    const text = JSON.stringify({ a: 'x'.repeat(300_000), n: 0 })
    const tests = Array.from({ length: 1_000 }, (): Edit => ({ op: 'test', path: '/n', value: 0 }))
    expect(() => edit(text, tests, 'json')).toThrow(tooLarge)
    expect(() => edit(text, tests, 'json')).toThrow(/Make at most 833, then edit the copy/)
    expect(edit(text, tests.slice(0, 3), 'json').changes).toEqual([])
  })

  it('names long paths in short', () => {
    const key = 'k'.repeat(8_000)
    const { changes } = edit(
      '{"a":"b"}',
      [
        { op: 'add', path: `/${key}`, value: 'one' },
        { op: 'copy', from: `/${key}`, path: `/${key}2` },
        { path: `/${key}`, find: 'one', replace: 'two' },
      ],
      'json',
    )
    expect(JSON.stringify(changes).length).toBeLessThan(1_200)
    expect(changes[0]?.at).toMatch(/^#\/k{198}…\(\+7802 characters\)$/)
  })
})
