import { stringEnd } from '../../core/json-text.ts'
import { escapedLineEnds } from '../../core/lines.ts'
import { wholeToken } from '../../core/text-cuts.ts'
import type { Container, Within } from './segment-index.ts'
import type { Segmenter } from './segmenter.ts'

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [LIST, LIST_END, OBJECT, OBJECT_END] = [0x5b, 0x5d, 0x7b, 0x7d]

/** What lies deeper is never cut between its parts. */
const MAX_LEVELS = 32

/** A container that is known in the index. */
interface Known {
  readonly kind: 'list' | 'object' | 'string'
  readonly within?: Within
  readonly start: number
  end: number
  count: number
  /** Of a string: line breaks so far, in the end its lines. */
  lines?: number
  readonly anchors: Array<[number, number]>
}

/** A list or an object that is open. */
interface Frame {
  readonly kind: 'list' | 'object'
  readonly start: number
  /** Parts before the latest comma. */
  parts: number
  /** Where the present part begins. */
  partStart: number
  /** Its place in the index, once something of it was cut off. */
  known: number | undefined
  /** The present part is in the index: the next one becomes an anchor. */
  anchorsNext: boolean
}

/**
 * Cuts valid JSON between the parts of its lists and objects, the outermost that there are; a string that is longer
 * than a segment is cut within, between characters and escapes.
 */
export class JsonSegmenter implements Segmenter {
  readonly #known: Known[] = []
  readonly #frames: Frame[] = []
  /** Levels below the deepest frame. */
  #deeper = 0
  /** What is not cut off yet, and where it begins. */
  #text = ''
  #start = 0
  /** How far it was read. */
  #at = 0
  #inString = false
  /** Of the latest string; its end is infinite until it is found. */
  #stringStart = -1
  #stringEnd = -1
  /** That string, if it is in the index. */
  #knownString: Known | undefined

  constructor(private readonly length: number) {}

  get containers(): readonly Container[] {
    return this.#known
  }

  push(piece: string): string[] {
    this.#text += piece
    const segments: string[] = []
    for (;;) {
      this.#read(Math.min(this.#text.length, this.length))
      if (this.#text.length <= this.length) return segments
      segments.push(this.#cut())
    }
  }

  end(): string[] {
    const rest = this.#text
    this.#text = ''
    return rest === '' ? [] : [rest]
  }

  soFar(parts: number) {
    const end = this.#start + this.#text.length + 1
    const containers = this.#known.map((known, number) => ({
      ...known,
      anchors: [...known.anchors],
      ...(number === 0 ? { end, count: parts } : {}),
    }))
    return { containers, rest: this.#text }
  }

  #read(until: number): void {
    const text = this.#text
    while (this.#at < until) {
      if (this.#inString) {
        this.#readString()
        continue
      }
      const unit = text.charCodeAt(this.#at++)
      if (unit === QUOTE) this.#openString()
      else if (unit === COMMA) this.#nextPart()
      else if (unit === LIST || unit === OBJECT) this.#open(unit === LIST ? 'list' : 'object')
      else if (unit === LIST_END || unit === OBJECT_END) this.#close()
    }
  }

  /** To behind the closing quote, or to the end of what there is. No cut lies within an escape, so backslashes are counted from there. */
  #readString(): void {
    for (
      let quote = this.#text.indexOf('"', this.#at);
      quote >= 0;
      quote = this.#text.indexOf('"', quote + 1)
    ) {
      let first = quote
      while (first > 0 && this.#text.charCodeAt(first - 1) === BACKSLASH) first--
      if ((quote - first) % 2 === 1) continue
      this.#at = quote + 1
      this.#closeString()
      return
    }
    this.#at = this.#text.length
  }

  #openString(): void {
    this.#inString = true
    this.#stringStart = this.#start + this.#at - 1
    this.#stringEnd = Number.POSITIVE_INFINITY
  }

  #closeString(): void {
    this.#inString = false
    this.#stringEnd = this.#start + this.#at
    const known = this.#knownString
    this.#knownString = undefined
    if (!known) return
    known.end = this.#stringEnd
    this.#countRest(known)
    const around = this.#frames.at(-1)
    if (around) around.anchorsNext = true
  }

  /** Of a string in the index, those between the last cut and a position. */
  #countCharacters(known: Known, until: number): void {
    const from = Math.max(known.start + 1, this.#start)
    const text = this.#text.slice(from - this.#start, until - this.#start)
    known.count += charactersOf(text)
    const lineEnds = escapedLineEnds(text, 0)
    known.lines = (known.lines ?? 0) + lineEnds.length
    const last = lineEnds.at(-1)
    if (last !== undefined) known.anchors.push([known.lines, from + last])
  }

  #countRest(known: Known): void {
    this.#countCharacters(known, known.end - 1)
    const [, lastLine] = known.anchors.at(-1) ?? []
    if (lastLine !== known.end - 1) known.lines = (known.lines ?? 0) + 1
  }

  #open(kind: 'list' | 'object'): void {
    if (this.#deeper > 0 || this.#frames.length === MAX_LEVELS) {
      this.#deeper++
      return
    }
    const start = this.#start + this.#at - 1
    this.#frames.push({ kind, start, parts: 0, partStart: start + 1, known: undefined, anchorsNext: false })
    if (this.#frames.length === 1) this.#know(0)
  }

  #close(): void {
    if (this.#deeper > 0) {
      this.#deeper--
      return
    }
    const frame = this.#frames.pop()
    const known = frame?.known === undefined ? undefined : this.#known[frame.known]
    if (!frame || !known) return
    known.end = this.#start + this.#at
    known.count = frame.parts + (this.#isEmpty(frame) ? 0 : 1)
    const around = this.#frames.at(-1)
    if (around) around.anchorsNext = true
  }

  #isEmpty({ parts, partStart }: Frame): boolean {
    if (parts > 0 || partStart < this.#start) return false
    return this.#text.slice(partStart - this.#start, this.#at - 1).trim() === ''
  }

  #nextPart(): void {
    const frame = this.#frames.at(-1)
    if (this.#deeper > 0 || !frame) return
    frame.parts++
    frame.partStart = this.#start + this.#at
    if (!frame.anchorsNext) return
    frame.anchorsNext = false
    this.#anchor(frame)
  }

  #anchor({ known, parts, partStart }: Frame): void {
    const anchors = this.#known[known as number]?.anchors
    if (anchors?.at(-1)?.[0] !== parts) anchors?.push([parts, partStart])
  }

  #cut(): string {
    const level = this.#frames.findIndex(frame => frame.parts > 0 && frame.partStart > this.#start)
    const frame = this.#frames[level]
    const end = frame ? frame.partStart - this.#start : wholeToken(this.#text, this.length)
    for (let open = 0; open < this.#frames.length; open++) {
      if (frame ? open <= level : (this.#frames[open] as Frame).start < this.#start + end) this.#know(open)
    }
    if (frame) this.#anchor(frame)
    else this.#cutString(this.#start + end)
    const segment = this.#text.slice(0, end)
    this.#text = this.#text.slice(end)
    this.#start += end
    this.#at -= end
    return segment
  }

  /** Notes an open container in the index. What a key is cannot be told where a cut goes through it. */
  #know(level: number): void {
    const frame = this.#frames[level] as Frame
    const around = this.#frames[level - 1]
    if (frame.known !== undefined || (around && around.known === undefined)) return
    const within = around && this.#placeIn(around)
    if (around && !within) return
    if (around) this.#anchor(around)
    frame.known = this.#known.length
    const { kind, start } = frame
    this.#known.push({ kind, ...(within ? { within } : {}), start, end: 0, count: 0, anchors: [] })
  }

  /** Notes the string that a cut goes through, unless it is a key. */
  #cutString(cut: number): void {
    const open = this.#knownString ?? this.#knowString(cut)
    if (open) this.#countCharacters(open, Math.min(cut, open.end - 1))
  }

  #knowString(cut: number): Known | undefined {
    const around = this.#frames.at(-1)
    const start = this.#stringStart
    const isCut = start >= this.#start && start < cut && cut < this.#stringEnd
    if (!isCut || !around || around.known === undefined || this.#deeper > 0) return undefined
    const before = this.#text.slice(Math.max(0, around.partStart - this.#start), start - this.#start)
    if (around.kind === 'object' && before.trim() === '') return undefined
    const within = this.#placeIn(around)
    if (!within) return undefined
    this.#anchor(around)
    const known: Known = { kind: 'string', within, start, end: this.#stringEnd, count: 0, anchors: [] }
    this.#known.push(known)
    if (this.#inString) this.#knownString = known
    else {
      around.anchorsNext = true
      // All of it was read already; what lies behind the cut is counted here, too.
      this.#countRest(known)
      return undefined
    }
    return known
  }

  #placeIn({ kind, known, parts, partStart }: Frame): Within | undefined {
    const place = { container: known as number, part: parts, position: partStart }
    if (kind === 'list') return place
    if (partStart < this.#start) return undefined
    const quote = this.#text.indexOf('"', partStart - this.#start)
    const key = this.#text.slice(quote, stringEnd(this.#text, quote))
    return { ...place, key: JSON.parse(key) as string }
  }
}

/** How many UTF-16 units these are without their escapes. */
function charactersOf(escaped: string): number {
  let count = escaped.length
  for (let at = escaped.indexOf('\\'); at >= 0; at = escaped.indexOf('\\', at)) {
    const length = escaped[at + 1] === 'u' ? 6 : 2
    count -= length - 1
    at += length
  }
  return count
}
