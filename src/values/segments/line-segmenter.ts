import { countBreaks } from '../../core/lines.ts'
import { wholeCharacter } from '../../core/text-cuts.ts'
import type { Container } from './segment-index.ts'
import type { Segmenter } from './segmenter.ts'

/** Cuts a text between its lines; a line that is longer than a segment is cut within. */
export class LineSegmenter implements Segmenter {
  readonly #anchors: Array<[number, number]> = []
  #text = ''
  /** Where `#text` begins. */
  #start = 0
  /** Line breaks before `#text`. */
  #breaks = 0
  #endsWithBreak = false
  /** The last segment ends within a line. */
  #isWithin = false

  constructor(private readonly length: number) {}

  push(piece: string): string[] {
    this.#text += piece
    const segments: string[] = []
    while (this.#text.length > this.length) segments.push(this.#cut())
    return segments
  }

  end(): string[] {
    const rest = this.#text
    if (rest === '') return []
    this.#pass(rest)
    this.#text = ''
    return [rest]
  }

  get containers(): readonly Container[] {
    return [this.#container(this.#start, this.#breaks, this.#endsWithBreak)]
  }

  #container(end: number, breaks: number, endsWithBreak: boolean): Container {
    const count = breaks + (end > 0 && !endsWithBreak ? 1 : 0)
    return { kind: 'text', start: 0, end, count, anchors: [...this.#anchors] }
  }

  soFar() {
    const breaks = this.#breaks + countBreaks(this.#text, 0, this.#text.length)
    const end = this.#start + this.#text.length
    const endsWithBreak = this.#text === '' ? this.#endsWithBreak : this.#text.endsWith('\n')
    return { containers: [this.#container(end, breaks, endsWithBreak)], rest: this.#text }
  }

  #cut(): string {
    const lastBreak = this.#text.lastIndexOf('\n', this.length - 1)
    const end = lastBreak < 0 ? wholeCharacter(this.#text, this.length) : lastBreak + 1
    const segment = this.#text.slice(0, end)
    this.#text = this.#text.slice(end)
    this.#pass(segment)
    this.#isWithin = lastBreak < 0
    if (!this.#isWithin) this.#anchors.push([this.#breaks, this.#start])
    return segment
  }

  #pass(segment: string): void {
    const first = this.#isWithin ? segment.indexOf('\n') + 1 : 0
    // Nobody has to walk through a very long line to find the one after it.
    if (first > 0 && first < segment.length) this.#anchors.push([this.#breaks + 1, this.#start + first])
    for (let at = segment.indexOf('\n'); at >= 0; at = segment.indexOf('\n', at + 1)) this.#breaks++
    this.#start += segment.length
    this.#endsWithBreak = segment.endsWith('\n')
  }
}
