import type { JsonObject, JsonValue } from '../../../src/core/json.ts'
import { parseJson, stringifyJson } from '../../../src/core/json-text.ts'
import type { PartRendering } from '../../../src/preview/preview.ts'

/** What the pages are together, read as their unit says. */
export function join(all: PartRendering[]): JsonValue {
  const unit = all.find(({ pageUnit }) => pageUnit !== 'json')?.pageUnit
  if (unit === 'items') return joinedTexts(all).flatMap(text => parseJson(`[${text}]`) as JsonValue[])
  if (unit === 'entries') {
    return Object.fromEntries(
      joinedTexts(all).flatMap(text => Object.entries(parseJson(`{${text}}`) as JsonObject)),
    )
  }
  if (unit === 'lines' || unit === 'characters') return all.map(({ preview }) => preview).join('')
  return all.length === 1 && all[0]!.pageUnit === undefined ? all[0]!.preview : joinedSlices(all)
}

/** The JSON of whole pages without brackets, and slices that follow each other as one text. */
function joinedTexts(all: PartRendering[]): string[] {
  const texts: string[] = []
  for (const [at, { preview, pageUnit }] of all.entries()) {
    if (pageUnit !== 'json') texts.push(stringifyJson(preview).slice(1, -1))
    else if (all[at - 1]?.pageUnit === 'json') texts.push(`${texts.pop()}${preview}`)
    else texts.push(preview as string)
  }
  return texts
}

/** Of a value whose items are all larger than a page. */
function joinedSlices(all: PartRendering[]): JsonValue {
  const text = all.map(({ preview }) => preview).join('')
  const { totalItems } = all[0]!
  if (totalItems === undefined) return parseJson(text)
  try {
    return parseJson(`{${text}}`)
  } catch {
    return parseJson(`[${text}]`)
  }
}
