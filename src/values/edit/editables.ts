import type { JsonValue } from '../../core/json.ts'
import { isJsonObject } from '../../core/json.ts'
import { stringifyJson } from '../../core/json-text.ts'
import { type CallResult, valueOfResult } from '../call-result.ts'
import { equalJson, parsedJson } from '../equal-json.ts'
import type { Editable, Name, Replica, StoredPlace } from './edited-text.ts'

/** A block with a text, and where it stands in the stored result. */
interface TextBlock {
  readonly position: number
  readonly text: string
  readonly at: readonly string[]
}

/** What can be edited of a tool's result. */
export interface EditableResult {
  readonly editables: readonly Editable[]
  /** The result has one text for each item of a list, which are made anew from that. */
  readonly itemTexts?: { readonly list: readonly string[]; readonly blocks: readonly TextBlock[] }
}

const STRUCTURED = 'structuredContent'
const ITSELF: Name = { path: [], within: [] }

/** A value of its own. */
export function editableValue(kind: 'text' | 'json', text: string): Editable {
  return {
    kind,
    names: [ITSELF],
    replicas: [{ inner: [], places: [{ at: undefined, isString: kind === 'text' }], text }],
  }
}

/**
 * The texts and JSON of a tool's result, by what the result says: what says the same is edited as one, so that it goes on saying
 * the same.
 */
export function editablesOf(result: CallResult): EditableResult {
  const { content, structuredContent } = result
  const blocks = textBlocksOf(content)
  const structured = structuredContent === null && content.length > 0 ? undefined : structuredContent
  const { value } = valueOfResult(result)
  if (structured === undefined) return { editables: ofContent(content, value, blocks) }
  const forms = formsOf(structured)
  if (typeof value === 'string') {
    const form = forms.find(one => isTexts(one.value, blocks)) as Form
    return { editables: textsWithCopies(blocks, form) }
  }
  if (value !== structured) return { editables: separate(content, structured, value, blocks) }
  return sameJsonTwice(structured, forms, blocks)
}

/** The structured content, and its only member: servers wrap what is no object. */
interface Form {
  readonly at: readonly string[]
  readonly value: JsonValue
}

function formsOf(structured: JsonValue): Form[] {
  const members = isJsonObject(structured) ? Object.entries(structured) : []
  const [only] = members
  const whole = { at: [], value: structured }
  return only && members.length === 1 ? [whole, { at: [only[0]], value: only[1] }] : [whole]
}

/** Structured content, and texts that are its JSON. */
function sameJsonTwice(
  structured: JsonValue,
  forms: readonly Form[],
  blocks: readonly TextBlock[],
): EditableResult {
  const names = forms.map(({ at }): Name => ({ path: [], within: at }))
  const replicas = [structuredReplica(structured)]
  for (const block of blocks) {
    const form = forms.find(({ value }) => isJsonOf(block.text, value))
    if (!form) continue
    replicas.push({ inner: form.at, places: [stringAt(block.at)], text: block.text })
    names.push(...blockNames(block, form.at))
  }
  const editables: Editable[] = [{ kind: 'json', names, replicas }]
  const list = forms.find(({ value }) => Array.isArray(value) && value.length === blocks.length)
  if (replicas.length > 1 || blocks.length === 0 || !list) return { editables }
  return { editables, itemTexts: { list: [STRUCTURED, ...list.at], blocks } }
}

/** Text blocks alone are texts; with others between them they are a list. */
function ofContent(
  content: readonly JsonValue[],
  value: JsonValue,
  blocks: readonly TextBlock[],
): Editable[] {
  if (value === content) {
    const names = [ITSELF, { path: ['content'], within: [] }]
    const replica = { inner: [], places: [partAt(['content'])], text: stringifyJson(value) }
    return [{ kind: 'json', names, replicas: [replica] }]
  }
  return blocks.map(block => textOf(block, blocks.length === 1 ? [ITSELF] : []))
}

function textOf(block: TextBlock, names: readonly Name[], copies: readonly StoredPlace[] = []): Editable {
  const replica = { inner: [], places: [stringAt(block.at), ...copies], text: block.text }
  return { kind: 'text', names: [...names, ...blockNames(block, [])], replicas: [replica] }
}

function blockNames({ position, at }: TextBlock, within: readonly string[]): Name[] {
  return [
    { path: at, within },
    { path: ['content', String(position)], within },
  ]
}

/** The structured content repeats the texts, as a text or a list of them. */
function textsWithCopies(blocks: readonly TextBlock[], { at, value }: Form): Editable[] {
  return blocks.map((block, position) => {
    const copy = Array.isArray(value) ? [...at, String(position)] : at
    const names = [...(blocks.length === 1 ? [ITSELF] : []), { path: copy, within: [] }]
    return textOf(block, names, [stringAt([STRUCTURED, ...copy])])
  })
}

/** Texts and structured content that say different things. */
function separate(
  content: readonly JsonValue[],
  structured: JsonValue,
  value: JsonValue,
  blocks: readonly TextBlock[],
): Editable[] {
  const json: Editable = {
    kind: 'json',
    names: [{ path: ['structured'], within: [] }, { path: [STRUCTURED], within: [] }, ITSELF],
    replicas: [structuredReplica(structured)],
  }
  const shownText = isJsonObject(value) ? value.text : undefined
  const texts = blocks.map(block =>
    textOf(block, block.text === shownText ? [{ path: ['text'], within: [] }] : []),
  )
  const taken = new Set(blocks.map(({ position }) => position))
  const others = content.flatMap((block, position) => (taken.has(position) ? [] : [{ block, position }]))
  const shownOthers = isJsonObject(value) && Array.isArray(value.content) ? value.content : []
  return [
    ...texts,
    ...others.map(({ block, position }): Editable => {
      const shownAt = shownOthers.indexOf(block)
      const at = ['content', String(position)]
      return {
        kind: 'json',
        names:
          shownAt < 0 ? [{ path: at, within: [] }] : [{ path: ['content', String(shownAt)], within: [] }],
        replicas: [{ inner: [], places: [partAt(at)], text: stringifyJson(block) }],
      }
    }),
    json,
  ]
}

function structuredReplica(structured: JsonValue): Replica {
  return { inner: [], places: [partAt([STRUCTURED])], text: stringifyJson(structured) }
}

function textBlocksOf(content: readonly JsonValue[]): TextBlock[] {
  return content.flatMap((block, position) => {
    if (!isJsonObject(block)) return []
    const at = ['content', String(position)]
    if (block.type === 'text' && typeof block.text === 'string')
      return [{ position, text: block.text, at: [...at, 'text'] }]
    const { resource } = block
    if (block.type !== 'resource' || !isJsonObject(resource) || typeof resource.text !== 'string') return []
    return [{ position, text: resource.text, at: [...at, 'resource', 'text'] }]
  })
}

function isTexts(value: JsonValue, blocks: readonly TextBlock[]): boolean {
  if (Array.isArray(value)) {
    return (
      value.length > 0 &&
      value.length === blocks.length &&
      value.every((item, at) => item === blocks[at]?.text)
    )
  }
  return blocks.length === 1 && value === blocks[0]?.text
}

function isJsonOf(text: string, value: JsonValue): boolean {
  const parsed = parsedJson(text)
  return parsed !== undefined && equalJson(parsed, value)
}

function stringAt(at: readonly string[]): StoredPlace {
  return { at, isString: true }
}

function partAt(at: readonly string[]): StoredPlace {
  return { at, isString: false }
}
