import type { JsonObject } from '../core/json.ts'
import { paced } from '../core/steps.ts'
import { type DescribedBlock, pathOfBlock } from '../values/text-blocks.ts'
import type { Ruler, SizeMode } from './measure.ts'
import { ELLIPSIS } from './truncate.ts'

/** Tokens, and the part of the budget, that the names take at most. */
const LARGEST = 150
const SHARE = 4
/** How many are named, where not all fit. */
const COUNTS = [12, 6, 3, 1]

/** The texts of a result by the part that each is, as far as an answer of a budget has room for them, and their size. */
export async function blocksWithin(
  blocks: readonly DescribedBlock[],
  ruler: Ruler,
  { maxSize, sizeMode }: { readonly maxSize: number; readonly sizeMode: SizeMode },
): Promise<{ readonly parts: JsonObject; readonly size: number } | undefined> {
  if (blocks.length === 0) return undefined
  const limit = Math.floor(Math.min(sizeMode === 'token' ? LARGEST : LARGEST * 4, maxSize / SHARE))
  for (const count of COUNTS) {
    const parts = nameBlocks(blocks, count)
    const size = await paced(ruler.size(JSON.stringify(parts), limit))
    if (size <= limit) return { parts, size }
  }
  return undefined
}

/** `{"#/content/1":"csv, 160 rows"}` */
function nameBlocks(blocks: readonly DescribedBlock[], count: number): JsonObject {
  const named = blocks.slice(0, count).map(block => [`#${pathOfBlock(block)}`, describe(block)])
  const left = blocks.length - named.length
  if (left > 0) named.push([ELLIPSIS, `(+${left} parts)`])
  return Object.fromEntries(named) as JsonObject
}

const UNITS = { csv: 'row', jsonl: 'row', list: 'item', map: 'record', text: 'line' } as const

function describe({ kind, count }: DescribedBlock): string {
  if (kind === 'object') return kind
  return `${kind}, ${count} ${UNITS[kind]}${count === 1 ? '' : 's'}`
}
