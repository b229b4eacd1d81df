import type { Tool } from 'ai'
import { isErrorOutput, type OwnOutput } from '../agent/program/program-tools.ts'
import { isReference } from '../agent/program/reference.ts'
import type { JsonObject } from '../core/json.ts'

/** What the model is given of a tool's output. */
export type ModelOutput = Awaited<ReturnType<NonNullable<Tool['toModelOutput']>>>
export type ToModelOutput = NonNullable<Tool['toModelOutput']>

/** As the tool's author says; a reference as it is. */
export function withReferencesShown(own: ToModelOutput | undefined): ToModelOutput {
  return given => (isReference(given.output) ? asJson(given.output) : (own ?? asUsual)(given))
}

/** As the AI SDK does it for a tool whose author says nothing. */
const asUsual: ToModelOutput = ({ output }) => {
  if (typeof output === 'string') return { type: 'text', value: output }
  const text = output === undefined ? undefined : JSON.stringify(output)
  return { type: 'json', value: text === undefined ? null : JSON.parse(text) }
}

function asJson(output: unknown): ModelOutput {
  return { type: isErrorOutput(output) ? 'error-json' : 'json', value: output as never }
}

/** Of one of our own tools. */
export function ownModelOutput(output: OwnOutput): ModelOutput {
  if (typeof output === 'string') return { type: 'text', value: output }
  const { content, isError } = output as { content?: unknown; isError?: unknown }
  if (!Array.isArray(content)) return asJson(output)
  if (isError) return { type: 'error-json', value: output as never }
  return { type: 'content', value: content.map(toPart) }
}

type Part = Extract<ModelOutput, { type: 'content' }>['value'][number]

/** A block of a result of MCP. */
function toPart(block: JsonObject): Part {
  const { type, text, data, mimeType } = block
  if (type === 'text') return { type: 'text', text: `${text}` }
  if (type === 'image' || type === 'audio')
    return { type: 'file', mediaType: `${mimeType}`, data: { type: 'data', data: `${data}` } }
  return { type: 'text', text: JSON.stringify(block) }
}

/** The words in what the model is given. Media are as large as the tool's author wants them. */
export function wordsIn(output: ModelOutput): string {
  switch (output.type) {
    case 'text':
    case 'error-text':
      return output.value
    case 'json':
    case 'error-json':
      return JSON.stringify(output.value)
    case 'content':
      return output.value.map(part => (part.type === 'text' ? part.text : '')).join('\n')
    default:
      return ''
  }
}
