import { isJsonObject, type JsonValue } from '../../core/json.ts'
import { pointerOf } from '../../core/part.ts'
import type { PartRendering, SizeMode } from '../../preview/preview.ts'

/** What is shown of a value, as far as the next step depends on it. */
export type Shown = PartRendering & { readonly totalPagesIsEstimate?: true; readonly isAllShown?: true }

/** What an agent can do after a preview or a page: a call that it can write from what it has read. */
export function nextStep(answer: Shown, sizeMode: SizeMode): string {
  if (answer.page !== undefined) return nextPage(answer, sizeMode)
  if (answer.isAllShown) return 'Nothing is left out; full: true gives the value as it was made.'
  const pages = answer.isOnePage ? '' : ' and page (1, 2, …) or'
  const larger = answer.isOnePage ? ' and' : ''
  return `Only a preview. For the rest call get_cached_result with this ref_id${pages}${larger} a larger max_size; for a part, with ref_id#${missingPart(answer)}.`
}

function nextPage(
  { page = 1, totalPages = 1, totalPagesIsEstimate, pageUnit, restSize, slicedItem, path = '' }: Shown,
  sizeMode: SizeMode,
): string {
  const item = slicedItem === undefined ? '' : `, or page that item alone: ref_id#${path}/${slicedItem}`
  const joined =
    pageUnit === 'json' ? ` This page is a slice of JSON: join such pages before parsing${item}.` : ''
  const total = totalPagesIsEstimate ? `about ${totalPages}` : totalPages
  if (page >= totalPages) return `Page ${page} of ${total}, the last.${joined}`
  const rest = restSize === undefined ? '' : `; ${costOf(page + 1, totalPages, restSize, sizeMode)}`
  return `Page ${page} of ${total}.${joined} Next: get_cached_result with this ref_id and page: ${page + 1}${rest}.`
}

function costOf(first: number, last: number, size: number, sizeMode: SizeMode): string {
  const pages = first === last ? 'it' : `pages ${first} to ${last}`
  return `${pages} would cost about ${inWords(size)} ${sizeMode}s`
}

/** Two digits say enough: `5,300`. */
function inWords(size: number): string {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, size))) - 1)
  return (Math.round(size / step) * step).toLocaleString('en-US')
}

/** Lines that are read in one go. */
const LINES_AHEAD = 100

/** A part that is not shown, as a fragment: the first line, item or key that is missing. */
function missingPart({ preview, isDense, path = '', lines, totalLines }: Shown): string {
  if (lines && totalLines) {
    const first = Math.min(lines[1] + 1, totalLines)
    return `L${first}-L${Math.min(first + LINES_AHEAD, totalLines)}`
  }
  if (typeof preview === 'string') return totalLines ? `L1-L${Math.min(LINES_AHEAD, totalLines)}` : 'L1'
  const shown = isDense && isJsonObject(preview) ? (preview.rows ?? null) : preview
  const list = path === '' ? shown : lookUp(shown, path)
  const where = isDense ? missingItem(list ?? null, path) : missingIn([list ?? null, path], [shown, ''])
  return where ?? (Array.isArray(list) ? `${path}/0` : `${path}/key`)
}

/** Before its first mark, a list has the positions of the whole. */
function missingItem(value: JsonValue, path: string): string | undefined {
  const isMark = (item: JsonValue) => typeof item === 'string' && /^…\(items? \d/.test(item)
  const mark = Array.isArray(value) ? value.findIndex(isMark) : -1
  return mark >= 0 ? `${path}/${mark}` : undefined
}

/** The first item or key of a mark, those of outer levels first. */
function missingIn(...places: [value: JsonValue, path: string][]): string | undefined {
  // Grows while it is walked.
  for (const [value, path] of places) {
    const item = missingItem(value, path)
    if (item !== undefined) return item
    if (Array.isArray(value)) {
      for (const [position, item] of value.entries()) places.push([item, `${path}/${position}`])
    } else if (isJsonObject(value)) {
      const [, key] = /^\(\+\d+ keys: ([\w.@:-]+)[,)]/.exec(String(value['…'])) ?? []
      if (key !== undefined) return `${path}/${key}`
      for (const name of Object.keys(value)) places.push([value[name] as JsonValue, path + pointerOf([name])])
    }
  }
  return undefined
}

function lookUp(value: JsonValue, path: string): JsonValue | undefined {
  let at: JsonValue | undefined = value
  for (const step of path.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    at = isJsonObject(at) && Object.hasOwn(at, key) ? at[key] : undefined
  }
  return at
}
