import type { JsonValue } from '../../core/json.ts'
import { parseJson } from '../../core/json-text.ts'
import { NumberList } from '../../core/number-list.ts'
import type { Piece } from '../../core/piece.ts'
import { parsedJson } from '../equal-json.ts'
import { firstOf, rowOrder } from '../line-order.ts'
import { LogCounter } from '../log-lines.ts'
import { ShapeCounter } from '../shape.ts'
import { looksTabular, PROBED_CHARACTERS } from '../text-table.ts'
import type { SegmentIndex } from './segment-index.ts'

/** What previews need to know of a value, counted as it grows, so that nobody reads all of it again for each look at it. */
export interface GrowingFacts {
  add(piece: Piece): void
  /** @param hasEnded what is known only of a whole text is left for who reads it */
  facts(hasEnded: boolean): Pick<SegmentIndex, 'tables' | 'lines'>
}

export function growingFacts(kind: Piece['kind']): GrowingFacts {
  return kind === 'items' ? new ItemFacts() : new LineFacts()
}

class ItemFacts implements GrowingFacts {
  readonly #counter = new ShapeCounter()

  add(piece: Piece): void {
    if (piece.kind !== 'items') return
    for (const item of parseJson(`[${piece.json}]`) as JsonValue[]) this.#counter.add(item)
  }

  facts() {
    return { tables: [{ name: 'items', path: '', shape: this.#counter.result() }] }
  }
}

class LineFacts implements GrowingFacts {
  /** Lines, or a part of one, that are not counted yet: until it is known what the text is. */
  #pending = ''
  #kind: 'unknown' | 'csv' | 'jsonl' | 'lines' = 'unknown'
  readonly #log = new LogCounter()
  readonly #rows = new ShapeCounter()
  /** The line of each row. */
  readonly #starts = new NumberList()
  #lines = 0
  #mayBeJson = false

  add(piece: Piece): void {
    if (piece.kind !== 'text' || this.#kind === 'csv') return
    this.#pending += piece.text
    if (this.#kind === 'unknown' && this.#pending.length < PROBED_CHARACTERS) return
    if (this.#kind === 'unknown') this.#decide()
    this.#count()
  }

  facts(hasEnded: boolean) {
    if (hasEnded && this.#kind === 'unknown') this.#decide()
    if (hasEnded) this.#count(hasEnded)
    if (this.#kind === 'csv' || this.#mayBeJson) return hasEnded ? {} : { tables: [], lines: [] }
    if (this.#kind !== 'jsonl')
      return { tables: [], lines: this.#log.isLog ? firstOf(this.#log.order()) : [] }
    const shape = this.#rows.result()
    const rows = { header: 0, starts: this.#starts, outliers: shape.outliers }
    return { tables: [{ name: 'items', path: '', shape }], lines: firstOf(rowOrder(rows, this.#lines)) }
  }

  #decide(): void {
    this.#kind = looksTabular(this.#pending) ?? 'lines'
    this.#mayBeJson = this.#kind === 'lines' && /^\s*[[{]/.test(this.#pending.slice(0, 1_000))
    // Which lines are rows of CSV, only a reader of all of it can tell.
    if (this.#kind === 'csv') this.#pending = ''
  }

  #count(withRest = false): void {
    let start = 0
    for (let end = this.#pending.indexOf('\n'); end >= 0; end = this.#pending.indexOf('\n', start)) {
      this.#addLine(this.#pending.slice(start, end))
      start = end + 1
    }
    this.#pending = this.#pending.slice(start)
    if (!withRest || this.#pending === '') return
    this.#addLine(this.#pending)
    this.#pending = ''
  }

  #addLine(text: string): void {
    const line = this.#lines++
    if (this.#kind === 'lines') this.#log.add(text)
    if (this.#kind !== 'jsonl' || text.trim() === '') return
    this.#starts.push(line)
    this.#rows.add(parsedJson(text) ?? null)
  }
}
