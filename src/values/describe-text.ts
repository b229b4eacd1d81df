import { countLines } from '../core/lines.ts'
import { paced, type Steps } from '../core/steps.ts'
import { type CountedTable, countText, workOf } from './counted-tables.ts'
import { firstOf, lineOrder, MOST_LINES } from './line-order.ts'
import { WORK_PER_LINE } from './log-lines.ts'
import { isObject, type JoinedTable, type OpenBlock, openTexts } from './segments/joined-texts.ts'
import { ShapeCounter, type TableShape } from './shape.ts'
import { type DescribedBlock, pathOfBlock, type TextBlock } from './text-blocks.ts'
import { TextPieces } from './text-pieces.ts'
import type { TextRows } from './text-table.ts'

/** What previews of a text need to know of it. */
export interface TextFacts {
  readonly tables: readonly CountedTable[]
  /** Its lines in the order in which they are worth showing, the first of them; none: from the beginning. */
  readonly lines: readonly number[]
  /** Of several texts in one: what each of them is. */
  readonly blocks?: readonly DescribedBlock[]
}

/** Looks through a text. @param blocks the texts that it is put together from */
export async function describeText(text: TextPieces, blocks?: readonly TextBlock[]): Promise<TextFacts> {
  if (blocks) return describeTexts(text, blocks)
  const { tables, rows } = await countText(text)
  return { tables, lines: await paced(firstInOrder(text, rows)) }
}

function* firstInOrder(text: TextPieces, rows: TextRows | undefined): Steps<number[]> {
  let total = 0
  for (const _ of text.lines()) {
    total++
    yield WORK_PER_LINE
  }
  const order = yield* lineOrder(() => text.lines(), total, rows)
  return firstOf(order?.() ?? [])
}

async function describeTexts(text: TextPieces, blocks: readonly TextBlock[]): Promise<TextFacts> {
  const joined = await openTexts(text, blocks)
  const tables: CountedTable[] = []
  const rowsOf = new Map<number, TextRows>()
  for (const table of joined.tables) {
    const { shape, rows } = await countJoined(table, joined.blocks)
    if (rows) rowsOf.set(table.content, rows)
    tables.push({ name: table.name, path: table.path, shape })
  }
  const orders: number[][] = []
  let [before, counted] = [0, 0]
  for (const [at, { content, text: own }] of joined.blocks.entries()) {
    const { start } = blocks[at] as TextBlock
    before += text.countBreaks(counted, start)
    counted = start
    orders.push(await paced(linesOfBlock(own, before, rowsOf.get(content))))
  }
  return {
    tables,
    lines: firstOf(inTurns(orders)),
    blocks: joined.blocks.map(block => describeBlock(block, tables)),
  }
}

/** All rows of a table are looked at; of a text that is one also where they are. */
async function countJoined(
  { kind, content, each }: JoinedTable,
  blocks: readonly OpenBlock[],
): Promise<{ readonly shape: TableShape; readonly rows?: TextRows }> {
  if (kind === 'csv' || kind === 'jsonl') {
    const own = blocks.find(block => block.content === content)
    const { tables, rows } = await countText(new TextPieces([own?.text ?? '']))
    const [table] = tables
    if (table && rows) return { shape: table.shape, rows }
  }
  const counter = new ShapeCounter()
  for await (const batch of each()) {
    await paced(
      (function* () {
        for (const row of batch) yield workOf(counter.add(row))
      })(),
    )
  }
  return { shape: counter.result() }
}

/** The first lines of a block that are worth showing, as they are counted in all of the text. */
function* linesOfBlock(text: string, before: number, rows: TextRows | undefined): Steps<number[]> {
  const found = yield* firstInOrder(new TextPieces([text]), rows)
  const length = Math.min(countLines(text), MOST_LINES)
  const lines = found.length > 0 ? found : Array.from({ length }, (_, line) => line)
  return firstOf(lines).map(line => before + line)
}

/** Of a few texts some lines each, in turns; many come one after the other. */
const FEW = 10
const LINES_PER_TURN = 3

function* inTurns(orders: readonly number[][]): Iterable<number> {
  const most = Math.max(...orders.map(order => order.length))
  const length = orders.length > FEW ? most : LINES_PER_TURN
  for (let at = 0; at < most; at += length) {
    for (const order of orders) yield* order.slice(at, at + length)
  }
}

function describeBlock(block: OpenBlock, tables: readonly CountedTable[]): DescribedBlock {
  const { content, text } = block
  const [table] = block.tables
  if (table?.path === '') {
    const counted = tables.find(({ path }) => path === pathOfBlock(block))
    return { content, kind: table.kind, count: counted?.shape.rows ?? table.rows ?? 0 }
  }
  if (!isObject(block)) return { content, kind: 'text', count: countLines(text) }
  return { content, kind: 'object', count: block.tables.length }
}
