import { paced } from '../core/steps.ts'
import { type CountedTable, countTables, countText } from '../values/counted-tables.ts'
import { describeText } from '../values/describe-text.ts'
import { tablesOf } from '../values/tables.ts'
import type { DescribedBlock } from '../values/text-blocks.ts'
import { TextPieces } from '../values/text-pieces.ts'
import type { TextRows } from '../values/text-table.ts'
import type { Content, Excerpt, ExcerptWish } from './content.ts'
import { embeddedJson } from './embedded-json.ts'
import { type Items, itemsOf } from './items.ts'
import { type MainMember, mainMemberOf } from './main-member.ts'
import { measure, type Size, type SizeMode } from './measure.ts'
import { Memo } from './memo.ts'
import { shapesOf } from './shape.ts'
import { type Manner, Shrinker } from './shrink.ts'
import { Source } from './source.ts'
import { TextOutline } from './text-outline.ts'

/** A value in memory as previews and pages show it: a text that is JSON as that JSON. */
export function contentOf(source: Source): Promise<Content> {
  return source.remember(
    'content',
    async () => new MemoryContent(source, (await embeddedJson(source)) ?? source),
  )
}

/** What there is to know of a text or of the tables of a value. */
interface Facts {
  readonly tables: readonly CountedTable[]
  /** Where the value is a text whose lines are rows. */
  readonly rows?: TextRows
  readonly blocks?: readonly DescribedBlock[]
  /** The order of its lines, where that is known. */
  readonly lines?: readonly number[]
}

class MemoryContent extends Memo implements Content {
  readonly path: string
  readonly isReformatted: boolean
  readonly #main: MainMember | undefined
  #items: Items | undefined

  constructor(
    private readonly source: Source,
    readonly whole: Source,
  ) {
    super()
    this.isReformatted = whole !== source && whole.json !== source.value
    this.#main = mainMemberOf(whole.value, whole.json.length)
    this.path = this.#main?.path ?? ''
  }

  get items(): Items {
    if (!this.#items) {
      const { value, json } = this.#main ? new Source(this.#main.value) : this.whole
      this.#items = itemsOf(value, json)
    }
    return this.#items
  }

  size(sizeMode: SizeMode): Promise<Size> {
    return measure(this.source, sizeMode)
  }

  async tables(): Promise<readonly CountedTable[]> {
    return (await this.#facts()).tables
  }

  async blocks(): Promise<readonly DescribedBlock[]> {
    return (await this.#facts()).blocks ?? []
  }

  async excerpt({ manner }: ExcerptWish): Promise<Excerpt> {
    const { value, json } = this.whole
    const { length } = json
    if (typeof value === 'string') {
      const outline = await this.remember(manner, () => this.#outline(value, manner))
      return { value, length, shrink: room => outline.show(room), outline }
    }
    const shapes = shapesOf(value, await this.tables())
    const shrinker = new Shrinker(manner, shapes)
    return { value, length, shrink: room => shrinker.shrink(value, room) }
  }

  #facts(): Promise<Facts> {
    const { value } = this.whole
    const { blocks } = this.source
    return this.remember('facts', async () => {
      if (typeof value !== 'string') return { tables: await paced(countTables(tablesOf(value))) }
      const text = new TextPieces([value])
      return blocks ? describeText(text, blocks) : countText(text)
    })
  }

  async #outline(text: string, manner: Manner): Promise<TextOutline> {
    const { rows, lines } = await this.#facts()
    return paced(TextOutline.of(text, rows, manner === 'truncate', lines))
  }
}
