import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import { harmless, outputOf, shown } from '../../../src/cli/show-answer.ts'
import { formatTable } from '../../../src/cli/table.ts'

const COLUMNS = [{ title: 'name' }, { title: 'n', align: 'right' }] as const

describe('a table', () => {
  it('has its columns below each other', () => {
    const rows = [
      ['a', '1'],
      ['longer', '1000'],
    ]
    expect(formatTable(COLUMNS, rows, undefined)).toBe('name       n\na          1\nlonger  1000\n')
  })

  it('fits the terminal: the widest column gives way, with a mark', () => {
    expect(formatTable(COLUMNS, [['x'.repeat(50), '12345']], 20)).toBe(
      'name               n\nxxxxxxxxxxxx…  12345\n',
    )
  })

  it.each([30, 20, 15])('never halves a character, of whichever width (%i cells)', width => {
    const lines = formatTable(COLUMNS, [['漢字👩‍👩‍👧e\u0301'.repeat(10), '1']], width)
      .trimEnd()
      .split('\n')
    expect(Math.max(...lines.map(line => stringWidth(line)))).toBeLessThanOrEqual(width)
    expect(lines[1]).toMatch(/…\s+1$/)
    expect(lines[1]).not.toMatch(/\p{L}\u200d…/u)
  })

  it('lets no cell move the cursor', () => {
    const table = formatTable(COLUMNS, [['\u001b[2J\r\n', '\u202e1']], 40)
    expect(table.split('\n')).toHaveLength(3)
    expect([...table].filter(char => /[\p{Cc}\p{Cf}]/u.test(char) && char !== '\n')).toEqual([])
  })
})

describe('a value on a terminal', () => {
  it('is a table where it is a list of records, with what is left out between them', () => {
    const preview = [{ id: 1, name: 'one' }, '…(items 2 to 9)', { id: 10, ok: true }]
    expect(shown(preview, 40)).toBe('id  name  ok\n 1  one\n…(items 2 to 9)\n10        true\n')
  })

  it('keeps the lines of a text, and nothing that moves the cursor', () => {
    expect(harmless(shown('a\tb\n\u001b[2Jc\u009b', 80))).toBe('a\tb\n\\u001b[2Jc\\u009b\n')
  })

  it('goes into a pipe as it is', () => {
    expect(shown('a\n\u001b[2Jc\n', undefined)).toBe('a\n\u001b[2Jc\n')
    expect(shown({ a: [1] }, undefined)).toBe('{\n  "a": [\n    1\n  ]\n}\n')
  })
})

describe('what a command writes', () => {
  function written(isTTY: boolean, columns = 40) {
    const parts: string[] = []
    const stream = { isTTY, columns, write: (text: string) => parts.push(text) }
    const out = outputOf({ stdout: stream, stderr: stream } as never)
    return { out, parts }
  }

  it('moves the cursor of a terminal where the command wants it, and nowhere else', () => {
    const { out, parts } = written(true)
    out.answer('\u001b[2J\n')
    out.takeBack(1)
    out.note('\u001b[2J')
    expect(parts).toEqual(['\\u001b[2J\n', '\u001b[1A\u001b[0J', '\\u001b[2J\n'])
  })

  it('fits a terminal that does not know its size, and cuts nothing for a pipe', () => {
    expect(written(true, 0).out.width).toBe(80)
    expect(written(false).out.width).toBeUndefined()
  })
})
