import { isJsonObject, type JsonValue } from '../../core/json.ts'
import { stringifyJson } from '../../core/json-text.ts'
import type { Grow, Room } from './room.ts'

/** How a JSON text is laid out, so that what is put into it looks like what stands there. */
export interface JsonStyle {
  /** Between a key and its value, with the colon. */
  readonly colon: string
  /** Between two members on one line, with the comma. */
  readonly comma: string
  readonly newline: string
  /** One level of indentation. Absent: the text is not laid out in lines. */
  readonly unit: string | undefined
}

/** Only the beginning of a text is looked at. */
const PROBED_CHARACTERS = 16 * 1024

/** What lies deeper is written on one line. */
const MAX_LEVELS = 200

export function styleOf(text: string): JsonStyle {
  const head = text.slice(0, PROBED_CHARACTERS)
  let colon: string | undefined
  let comma: string | undefined
  // Strings are passed over whole: what looks like punctuation in them is none.
  for (const [, space, afterComma] of head.matchAll(
    /"(?:[^"\\]|\\.)*"(?:([ \t]*:[ \t]*)(?=[^\s]))?|,([ \t]*)(?=[^\s])/g,
  )) {
    colon ??= space
    comma ??= afterComma
    if (colon !== undefined && comma !== undefined) break
  }
  const [, newline, unit] = /^\s*[[{][ \t]*(\r?\n)([ \t]+)/.exec(head) ?? []
  return {
    colon: colon ?? (unit === undefined ? ':' : ': '),
    comma: `,${comma ?? (unit !== undefined || colon?.endsWith(' ') ? ' ' : '')}`,
    newline: newline ?? '\n',
    unit,
  }
}

/**
 * A value as JSON in the style of a text.
 * @param room for it; a style with much white space makes it far larger than it is
 * @param indent of the line that it begins in; absent: all on one line
 * @throws ValueTooLarge
 */
export function writeStyled(value: JsonValue, style: JsonStyle, room: Room, indent?: string): string {
  const { colon, comma, unit } = style
  if (unit === undefined && colon === ':' && comma === ',') return stringifyJson(value)
  let length = 0
  const grow = (by: number) => {
    length += by
    room.check(length)
  }
  return write(value, style, grow, unit === undefined ? undefined : indent, 0)
}

function write(
  value: JsonValue,
  style: JsonStyle,
  grow: Grow,
  indent: string | undefined,
  level: number,
): string {
  const isList = Array.isArray(value)
  if (level > MAX_LEVELS || !(isList || isJsonObject(value))) return stringifyJson(value)
  const inner = indent === undefined ? undefined : indent + style.unit
  const space = inner === undefined ? style.comma.length : style.newline.length + inner.length + 1
  const inside = (member: JsonValue) => {
    grow(space)
    return write(member, style, grow, inner, level + 1)
  }
  const members = isList
    ? value.map(inside)
    : Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}${style.colon}${inside(member)}`)
  const [open, close] = isList ? '[]' : '{}'
  if (members.length === 0) return `${open}${close}`
  if (inner === undefined) return `${open}${members.join(style.comma)}${close}`
  const lines = members.map(member => `${style.newline}${inner}${member}`)
  return `${open}${lines.join(',')}${style.newline}${indent}${close}`
}
