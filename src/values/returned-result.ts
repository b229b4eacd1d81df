import type { CallResult } from './call-result.ts'

/**
 * Whether what a handler returned is a CallToolResult: a list of valid blocks in `content`, and no other keys than those of such a
 * result. Anything else is a value. Members that are undefined count as absent, as in JSON.
 */
export function isReturnedResult(value: unknown): value is CallResult {
  if (!isObject(value) || !Array.isArray(value.content)) return false
  const { content, isError, _meta, resultType } = value
  return (
    Object.entries(value).every(([key, member]) => member === undefined || RESULT_KEYS.has(key)) &&
    (isError === undefined || typeof isError === 'boolean') &&
    (_meta === undefined || isObject(_meta)) &&
    (resultType === undefined || resultType === 'complete') &&
    content.every(isBlock)
  )
}

const RESULT_KEYS = new Set(['content', 'structuredContent', 'isError', '_meta', 'resultType'])

type Fields = Readonly<Record<string, unknown>>

function isBlock(block: unknown): boolean {
  if (!isObject(block) || !hasValidMetadata(block)) return false
  switch (block.type) {
    case 'text':
      return isText(block.text)
    case 'image':
    case 'audio':
      return isBase64(block.data) && isText(block.mimeType)
    case 'resource_link':
      return isText(block.uri) && isText(block.name) && isLink(block)
    case 'resource':
      return isObject(block.resource) && isResource(block.resource)
    default:
      return false
  }
}

function hasValidMetadata({ annotations, _meta }: Fields): boolean {
  return (annotations === undefined || isAnnotations(annotations)) && (_meta === undefined || isObject(_meta))
}

function isAnnotations(annotations: unknown): boolean {
  if (!isObject(annotations)) return false
  const { audience, priority, lastModified } = annotations
  return (
    (audience === undefined ||
      (Array.isArray(audience) && audience.every(role => role === 'user' || role === 'assistant'))) &&
    (priority === undefined || (typeof priority === 'number' && priority >= 0 && priority <= 1)) &&
    isOptionalText(lastModified)
  )
}

function isLink({ title, description, mimeType, size, icons }: Fields): boolean {
  return (
    [title, description, mimeType].every(isOptionalText) &&
    (size === undefined || typeof size === 'number') &&
    (icons === undefined || Array.isArray(icons))
  )
}

function isResource({ uri, mimeType, text, blob, _meta }: Fields): boolean {
  const isContents = isText(text) ? blob === undefined : text === undefined && isBase64(blob)
  return isText(uri) && isOptionalText(mimeType) && (_meta === undefined || isObject(_meta)) && isContents
}

/** As `atob` has it: white space may stand within. Looked through once, since it may be megabytes. */
function isBase64(data: unknown): boolean {
  if (!isText(data)) return false
  const end = data.search(/[^A-Za-z0-9+/\s]/)
  const [digits, padding] = end < 0 ? [data, ''] : [data.slice(0, end), data.slice(end)]
  const rest = digits.replace(/\s+/g, '').length % 4
  const pads = padding.replace(/\s+/g, '')
  return pads === '' ? rest !== 1 : (rest === 2 && pads === '==') || (rest === 3 && pads === '=')
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isOptionalText(value: unknown): boolean {
  return value === undefined || isText(value)
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
