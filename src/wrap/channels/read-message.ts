import { toNumber } from '../../core/exact-number.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { parseJson, stringEnd } from '../../core/json-text.ts'
import { failure, isId, isRpcMessage, RpcErrorCode, type RpcId, type RpcMessage } from '../rpc.ts'

/** What is no message, and what can be told of it all the same. */
export interface Unreadable {
  /** For the log: what is wrong, without its content. */
  readonly problem: string
  /** The request that it answers, or that it is. */
  readonly id?: RpcId
  readonly kind?: 'request' | 'response'
}

export type Received =
  | {
      readonly message: RpcMessage
      /** The message as it came, where that is one line that needed no mending. */
      readonly text?: string
    }
  | { readonly unreadable: Unreadable }

/** Reads what a peer sent: one message, or the messages of a batch (2025-03-26). */
export function readMessages(text: string): Received[] {
  let parsed: JsonValue
  try {
    parsed = parseJson(text)
  } catch {
    return [
      {
        unreadable: {
          problem: `a line that is no JSON (${text.length} characters): ${faultOf(text)}`,
          ...identify(text),
        },
      },
    ]
  }
  const [first, ...others] = readParsed(parsed)
  const isText = first && 'message' in first && (first.message as unknown) === parsed
  return isText ? [{ message: first.message, text }] : first ? [first, ...others] : []
}

/** The same for what is parsed already. */
export function readParsed(parsed: JsonValue): Received[] {
  return Array.isArray(parsed) ? parsed.map(readMessage) : [readMessage(parsed)]
}

function readMessage(value: JsonValue): Received {
  const message = withOneOutcome(value)
  if (isRpcMessage(message)) return { message }
  const problem = 'JSON that is no JSON-RPC 2.0 message'
  if (!isJsonObject(message) || !isId(message.id)) return { unreadable: { problem } }
  if ('method' in message) return { unreadable: { problem, id: message.id, kind: 'request' } }
  if (['jsonrpc', 'result', 'error'].some(name => name in message)) {
    return { unreadable: { problem, id: message.id, kind: 'response' } }
  }
  return { unreadable: { problem } }
}

/** An answer is a result or an error. Servers send both, `null` for the one that it is not, and errors that are incomplete. */
function withOneOutcome(value: JsonValue): JsonValue {
  if (!isJsonObject(value) || 'method' in value || !('error' in value)) return value
  const { error, result, ...about } = value
  if (result === undefined && isComplete(error)) return value
  if (isJsonObject(result) && (error === null || error === false)) return { ...about, result }
  return { ...about, error: completeError(error as JsonValue) }
}

function isComplete(error: JsonValue | undefined): boolean {
  if (!isJsonObject(error) || typeof error.message !== 'string') return false
  return error.message !== '' && toNumber(error.code) !== undefined
}

function completeError(error: JsonValue): JsonObject {
  if (isComplete(error)) return error as JsonObject
  const { code, message, ...more } = isJsonObject(error) ? error : { message: error }
  const text =
    typeof message === 'string' && message !== ''
      ? message
      : 'The server reported an error without a message.'
  return {
    ...more,
    code: toNumber(code) === undefined ? RpcErrorCode.internal : (code as number),
    message: text,
  }
}

/** The error that stands in for an unreadable answer. */
export function failureOf({ problem }: Unreadable, id: RpcId, whose: string): RpcMessage {
  return failure(id, { code: RpcErrorCode.internal, message: `${whose} answered with ${problem}.` })
}

/** What a request that cannot be read is answered with. */
export function refusalOf({ problem }: Unreadable, id: RpcId): RpcMessage {
  return failure(id, { code: RpcErrorCode.invalidRequest, message: `This request is ${problem}.` })
}

/** Why a text is no JSON. */
function faultOf(text: string): string {
  const { words, isOpen } = outline(text)
  return isOpen && !words.some(isOddNumber) ? 'it ends before its end' : faultIn(text)
}

/** The same for a piece of a text. */
export function faultIn(piece: string): string {
  const word = outline(piece).words.find(isOddNumber)
  return word ? `it holds ${word}, which JSON does not have` : 'it is malformed'
}

function isOddNumber(word: string): boolean {
  return /^-?(?:NaN|nan|Infinity|inf)$/.test(word)
}

/** Whose answer or request a broken line is. Lines that are no message at all may hold an `id`, too. */
function identify(text: string): Pick<Unreadable, 'id' | 'kind'> {
  return identifyByEnds(text, '')
}

/** The id at the end of a message, where servers put it that write the result first. */
const ID_AT_END = /"id"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/

/** The same for a text of which there are only the two ends. */
export function identifyByEnds(head: string, tail: string): Pick<Unreadable, 'id' | 'kind'> {
  const { members } = outline(head)
  const atEnd = ID_AT_END.exec(tail)?.[1]
  const id = members.get('id') ?? (atEnd === undefined ? undefined : scalarOf(atEnd))
  const isMessage = ['jsonrpc', 'result', 'error', 'method'].some(name => members.has(name))
  if (!isId(id) || !isMessage) return {}
  return { id, kind: members.has('method') ? 'request' : 'response' }
}

interface Outline {
  /** The first members of the text's own object, with their values as far as these are texts or numbers. */
  readonly members: ReadonlyMap<string, JsonValue | undefined>
  /** What stands there without quotes, other than true, false, null and numbers. */
  readonly words: readonly string[]
  /** Something that begins has no end. */
  readonly isOpen: boolean
}

const MAX_WORDS = 100

/** What can be made out of a text that is no JSON. */
function outline(text: string): Outline {
  const members = new Map<string, JsonValue | undefined>()
  const words: string[] = []
  let depth = 0
  let key: string | undefined
  let awaitsValue = false
  const isObject = /^\s*\{/.test(text)
  const put = (value: JsonValue | undefined) => {
    if (isObject && depth === 1 && awaitsValue && key !== undefined && !members.has(key))
      members.set(key, value)
    awaitsValue = false
  }
  for (let at = 0, end = 1; at < text.length; at = end) {
    const character = text[at] as string
    end = at + 1
    if (character === '"') {
      end = stringEnd(text, at)
      const string = scalarOf(text.slice(at, end))
      if (depth === 1 && !awaitsValue) key = typeof string === 'string' ? string : undefined
      else put(string)
    } else if (character === ':') awaitsValue ||= depth === 1
    else if (character === '{' || character === '[') {
      put(undefined)
      depth++
    } else if (character === '}' || character === ']') depth--
    else if (!/[\s,]/.test(character)) {
      while (end < text.length && !/[\s,:[\]{}"]/.test(text[end] as string)) end++
      const word = text.slice(at, end)
      const scalar = scalarOf(word)
      if (scalar === undefined && words.length < MAX_WORDS) words.push(word)
      put(scalar)
    }
  }
  return { members, words, isOpen: depth > 0 }
}

function scalarOf(token: string): JsonValue | undefined {
  try {
    return parseJson(token)
  } catch {
    return undefined
  }
}
