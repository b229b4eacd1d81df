import type { CallToolResult } from '@modelcontextprotocol/client'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'

/** Which field of a result a client gives to its model: `larger` is for a client of which nobody knows. */
export type Field = 'content' | 'structured' | 'both' | 'larger'

/** What a model reads of a result, in tokens. */
export function tokensRead(result: CallToolResult, field: Field): number {
  const texts = tokensIn(textOf(result))
  const { structuredContent } = result
  if (structuredContent === undefined) return texts
  const structured = tokensIn(JSON.stringify(structuredContent))
  switch (field) {
    case 'content':
      return texts
    case 'structured':
      return structured
    case 'both':
      return texts + structured
    case 'larger':
      return Math.max(texts, structured)
  }
}

/** The texts of a result, as a model is given them. */
export function textOf({ content }: CallToolResult): string {
  return content.map(block => (block.type === 'text' ? block.text : '')).join('\n')
}

/** Long texts are counted line by line in groups: the tokenizer takes long for a text of megabytes. */
export function tokensIn(text: string): number {
  const lines = text.split(/(?<=\n)/)
  let tokens = 0
  for (let at = 0; at < lines.length; at += 1_000) tokens += countTokens(lines.slice(at, at + 1_000).join(''))
  return tokens
}
