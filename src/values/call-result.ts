import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'
import { atOnce, type Steps } from '../core/steps.ts'
import { partsOf } from '../core/string-parts.ts'
import { textEqualsJson } from './equal-json.ts'
import { isMedia, type Media, mediaOf, withNotes } from './media.ts'
import { BETWEEN_TEXTS, type TextBlock } from './text-blocks.ts'
import { TextPieces } from './text-pieces.ts'

/** A tool's result as MCP has it. `content` may be missing where there is structured content. */
export interface CallResult extends JsonObject {
  content: JsonValue[]
}

/** What a tool's result says, free of the protocol's envelope. */
export interface ResultValue {
  /** What is shown, measured, paged and passed on. */
  readonly value: JsonValue
  /** What `value` is, where it is several texts, or one that is at hand in parts. */
  readonly texts?: TextPieces
  /** The JSON of `value` in the bytes of the tool, where it gave it as a text. */
  readonly json?: string
  /** Other forms of the same value: what an argument may want instead. */
  readonly forms: readonly JsonValue[]
  /** Images, audio and other bytes that are not part of `value`. */
  readonly media: readonly Media[]
  /** The address of the one resource that `value` is the text of. */
  readonly uri?: string
  /** Of a `value` that is several texts: those that are not blank. */
  readonly blocks?: readonly TextBlock[]
}

export function isCallResult(value: JsonValue | undefined): value is CallResult {
  return isJsonObject(value) && Array.isArray(value.content)
}

/**
 * The value of a tool's result: its structured content or its text where they say the same, both where they do not.
 * Everything that shows, measures, pages or passes a result goes by it.
 */
export function valueOfResult(result: CallResult): ResultValue {
  return atOnce(resultValue(result))
}

/** The same in steps: to find out whether texts say what the structured content says takes long where both are large. */
export function* resultValue({ content, structuredContent }: CallResult): Steps<ResultValue> {
  const blocks = sorted(content)
  // A missing field that a server writes as null says nothing beside other content.
  const structured = structuredContent === null && content.length > 0 ? undefined : structuredContent
  return structured === undefined ? ofBlocks(content, blocks) : yield* ofBoth(structured, blocks)
}

/** What clients give their models of a result, by the field that they read. Media count as no text. */
export interface ResultFields {
  readonly content: () => string
  /** The JSON of the structured content. Absent: there is none. */
  readonly structured?: () => string
}

export function fieldsOfResult({ content, structuredContent }: CallResult): ResultFields {
  const media = content.filter(isMedia)
  let text: string | undefined
  const texts = () => {
    const read = content.filter(block => !isMedia(block))
    text ??= joined(read.map(block => textOf(block) ?? stringifyJson(block)))
    return text
  }
  if (structuredContent === undefined || structuredContent === null) return { content: texts }
  let json: string | undefined
  const structured = () => {
    json ??= stringifyJson(
      media.length === 0 ? structuredContent : atOnce(withNotes(structuredContent, media)).value,
    )
    return json
  }
  return { content: texts, structured }
}

/** What a result with `isError` says went wrong. */
export function errorTextOf({ content }: JsonObject): string {
  const blocks = Array.isArray(content) ? content : []
  const texts = blocks
    .map(block => (isJsonObject(block) ? block.text : undefined))
    .filter(text => typeof text === 'string')
  return texts.join('\n') || 'The tool reported an error without a text.'
}

/** The same result for the eye: a note in the place of each piece of base64. */
export function shownValue(result: CallResult): ResultValue {
  return atOnce(shownResultValue(result))
}

/** The same in steps. */
export function* shownResultValue(result: CallResult): Steps<ResultValue> {
  const found = yield* resultValue(result)
  const media = result.content.filter(isMedia)
  if (media.length === 0) return found
  const { value, noted } = yield* withNotes(found.value, media)
  // What stands in the value needs no second mention.
  const shown = { ...found, media: found.media.filter(one => !noted.has(one.base64)) }
  if (value === found.value) return shown
  const { blocks: _, texts: __, ...rest } = shown
  return { ...rest, value }
}

interface Blocks {
  readonly texts: readonly string[]
  readonly resources: readonly TextResource[]
  readonly media: readonly Media[]
  /** Links, and whatever else there may come. */
  readonly others: readonly JsonValue[]
}

interface TextResource {
  readonly uri: string | undefined
  readonly text: string
}

function sorted(content: readonly JsonValue[]): Blocks {
  const texts: string[] = []
  const resources: TextResource[] = []
  const media: Media[] = []
  const others: JsonValue[] = []
  for (const block of content) {
    const resource = textResource(block)
    if (isPlainText(block)) texts.push(block.text)
    else if (resource) resources.push(resource)
    else if (isMedia(block)) media.push(mediaOf(block))
    else others.push(block)
  }
  return { texts, resources, media, others }
}

function ofBlocks(content: JsonValue[], { texts, resources, media, others }: Blocks): ResultValue {
  const hasText = texts.length + resources.length > 0
  // Blocks of other kinds have an order and fields that no text can carry.
  if (others.length > 0 || (!hasText && media.length > 0)) {
    return { value: content, forms: [], media: [] }
  }
  const [sole] = resources
  if (sole && texts.length === 0 && resources.length === 1) {
    return { value: sole.text, forms: [], media, ...addressOf(sole) }
  }
  const said = content.filter(block => textOf(block) !== undefined)
  const all = new TextPieces(
    said.map(block => textOf(block) as string),
    said.map(partsOfText),
  )
  const value = all.toString()
  if (all.pieces.length < 2) return { value, ...(all.isInParts ? { texts: all } : {}), forms: [], media }
  const blocks = blocksIn(content)
  return { value, texts: all, forms: [], media, ...(blocks.length > 0 ? { blocks } : {}) }
}

/** Where the texts stand once they are joined: of a resource what follows its address. */
function blocksIn(content: readonly JsonValue[]): TextBlock[] {
  const blocks: TextBlock[] = []
  let end = -BETWEEN_TEXTS.length
  for (const [at, block] of content.entries()) {
    const text = textOf(block)
    if (text === undefined) continue
    end += BETWEEN_TEXTS.length + text.length
    const own = ownTextOf(block) ?? text
    if (own.trim() !== '') blocks.push({ content: at, start: end - own.length, end })
  }
  return blocks
}

function* ofBoth(structured: JsonValue, { texts, resources, media, others }: Blocks): Steps<ResultValue> {
  const saying = sayerOf(structured)
  const [resource, ...more] = texts.length === 0 ? resources : []
  if (resource && more.length === 0 && others.length === 0) {
    const same = yield* saying([resource.text])
    if (same) return { ...same, media, ...addressOf(resource) }
  }
  const said = yield* saying(texts)
  const rest: string[] = []
  for (const text of said ? [] : texts) {
    if (text.trim() !== '' && !(yield* saying([text]))) rest.push(text)
  }
  rest.push(...resources.map(withUri))
  if (rest.length === 0 && others.length === 0) return { ...(said ?? sole(structured)), media }
  const value = {
    ...(rest.length === 0 ? {} : { text: joined(rest) }),
    structured,
    ...(others.length === 0 ? {} : { content: [...others] }),
  }
  return { value, forms: [], media }
}

type Said = Pick<ResultValue, 'value' | 'json' | 'forms'>

function sole(structured: JsonValue): Said {
  return { value: structured, forms: [] }
}

/**
 * Gives the value, if texts say what the structured content says: as the same JSON, or as its only member. The protocol
 * wants an object, so servers wrap a text, a list or a number into one. There may be thousands of texts: what there is to
 * know of the structured content is found out once.
 */
function sayerOf(structured: JsonValue): (texts: readonly string[]) => Steps<Said | undefined> {
  const member = onlyMember(structured)
  const names = new Map<object, readonly string[]>()
  return function* (texts) {
    if (texts.length === 0) return undefined
    const plain = [structured, member?.value].find(one => one !== undefined && isThoseTexts(one, texts))
    if (plain !== undefined) {
      // What stands around one text is only what the protocol wanted, and no value that an argument may want.
      const listed = member ? [member.value, structured] : [structured]
      return { value: joined(texts), forms: Array.isArray(plain) ? listed : [] }
    }
    if (yield* isThoseJsons(structured, texts, names))
      return { value: structured, ...jsonOf(texts), forms: [] }
    if (member && (yield* isThoseJsons(member.value, texts, names))) {
      const { json } = jsonOf(texts)
      return {
        value: structured,
        ...(json === undefined ? {} : { json: `{${JSON.stringify(member.name)}:${json}}` }),
        forms: [member.value],
      }
    }
    return undefined
  }
}

function jsonOf([text, ...more]: readonly string[]): { json?: string } {
  return text === undefined || more.length > 0 ? {} : { json: text }
}

function onlyMember(value: JsonValue): { name: string; value: JsonValue } | undefined {
  const members = isJsonObject(value) ? Object.entries(value) : []
  const [only] = members
  return only && members.length === 1 ? { name: only[0], value: only[1] } : undefined
}

function isThoseTexts(value: JsonValue, texts: readonly string[]): boolean {
  if (Array.isArray(value)) {
    return value.length === texts.length && value.every((item, at) => item === texts[at])
  }
  return texts.length === 1 && value === texts[0]
}

/** One text with the JSON, or a text for each item of the list. */
function* isThoseJsons(
  value: JsonValue,
  texts: readonly string[],
  names: Map<object, readonly string[]>,
): Steps<boolean> {
  const [text] = texts
  if (text !== undefined && texts.length === 1 && (yield* textEqualsJson(text, value, names))) return true
  if (!Array.isArray(value) || value.length !== texts.length) return false
  for (const [at, item] of value.entries()) {
    const text = texts[at] as string
    if (item !== text && !(yield* textEqualsJson(text, item, names))) return false
  }
  return true
}

function isPlainText(block: JsonValue): block is JsonObject & { text: string } {
  return isJsonObject(block) && block.type === 'text' && typeof block.text === 'string'
}

function textResource(block: JsonValue): TextResource | undefined {
  if (!isJsonObject(block) || block.type !== 'resource' || !isJsonObject(block.resource)) return undefined
  const { uri, text } = block.resource
  return typeof text === 'string' ? { uri: typeof uri === 'string' ? uri : undefined, text } : undefined
}

/** The text of a block. Undefined: it is no text. */
export function ownTextOf(block: JsonValue): string | undefined {
  return isPlainText(block) ? block.text : textResource(block)?.text
}

/** The same as it stands among others: that of a resource says where it is from. */
function textOf(block: JsonValue): string | undefined {
  if (isPlainText(block)) return block.text
  const resource = textResource(block)
  return resource && withUri(resource)
}

/** As it is at hand. */
function partsOfText(block: JsonValue): readonly string[] {
  const text = textOf(block) as string
  return isPlainText(block) ? partsOf(block, 'text', text) : [text]
}

function addressOf({ uri }: TextResource): Pick<ResultValue, 'uri'> {
  return uri === undefined ? {} : { uri }
}

function withUri({ uri, text }: TextResource): string {
  return uri === undefined ? text : `${uri}\n${text}`
}

function joined(texts: readonly string[]): string {
  return new TextPieces(texts).toString()
}
