import { expect } from 'vitest'
import { isJsonObject, type JsonObject, type JsonValue } from '../../../src/core/json.ts'

/** Fails unless all of the value either stands in the preview or is marked where it would stand. */
export function expectMarked(value: JsonValue, preview: JsonValue): void {
  if (preview === '…' && value !== '…') return
  if (typeof value === 'string') expectTextMarked(value, preview)
  else if (Array.isArray(value)) expectListMarked(value, preview)
  else if (isJsonObject(value)) expectObjectMarked(value, preview)
  else expect(preview).toEqual(value)
}

function expectListMarked(value: JsonValue[], preview: JsonValue): void {
  if (!Array.isArray(preview)) throw new Error(`${JSON.stringify(preview)} is no list`)
  let next = 0
  for (const item of preview) {
    const [, first, last = first] =
      (typeof item === 'string' && /^…\(items? (\d+)(?: to (\d+))?\)$/.exec(item)) || []
    if (Number(first) === next + 1 && value[next] !== item) next = Number(last)
    else expectMarked(value[next++] as JsonValue, item)
  }
  expect(next).toBe(value.length)
}

function expectObjectMarked(value: JsonObject, preview: JsonValue): void {
  if (!isJsonObject(preview)) throw new Error(`${JSON.stringify(preview)} is no object`)
  let shown = 0
  let missing = 0
  const keys = Object.keys(value)
  for (const key of Object.keys(preview)) {
    const mark = /^…+$/.test(key) && /^\(\+(\d+) keys?(: .*)?\)$/s.exec(String(preview[key]))
    if (mark && (!Object.hasOwn(value, key) || preview[key] !== value[key])) missing += Number(mark[1])
    else {
      shown++
      // A long key is cut like a text.
      const own = Object.hasOwn(value, key)
        ? key
        : keys.find(one => one.startsWith(key.replace(/…\(\+\d+ chars\)$/, '')))
      expectMarked(value[String(own)] as JsonValue, preview[key] as JsonValue)
    }
  }
  expect(shown + missing).toBe(keys.length)
}

function expectTextMarked(value: string, preview: JsonValue): void {
  if (typeof preview !== 'string') throw new Error(`${JSON.stringify(preview)} is no text`)
  if (preview === value) return
  const [, shown = '', missing] = /^(.*)…\(\+(\d+) chars\)$/s.exec(preview) ?? []
  if (missing !== undefined && value.startsWith(shown) && shown.length + Number(missing) === value.length)
    return
  const lines = value.match(/[^\n]*\n|[^\n]+$/g) ?? []
  let next = 0
  for (const line of preview.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
    const [, first, last = first] = /^…\(lines? (\d+)(?: to (\d+))?\)\n?$/.exec(line) ?? []
    if (Number(first) === next + 1 && lines[next] !== line) next = Number(last)
    else {
      const cut = /^(.*)…\(\+(\d+) chars\)(\n?)$/s.exec(line)
      const whole = lines[next++]
      if (cut && whole !== line) {
        expect(whole?.startsWith(cut[1] as string)).toBe(true)
        expect(cut[1]!.length + Number(cut[2]) + cut[3]!.length).toBe(whole?.length)
      } else expect(line).toBe(whole)
    }
  }
  expect(next).toBe(lines.length)
}
