import { InvalidArgument } from '../core/errors.ts'
import type { Piece } from '../core/piece.ts'
import { valuePieces } from '../core/serialize-pieces.ts'
import type { Appended, ExecutionContext } from './executor.ts'

/** UTF-16 units up to which what is appended is taken at once. */
const TAKEN_AT_ONCE = 1024 * 1024
/** UTF-16 units of a piece, more or less. */
const PIECE_LENGTH = 64 * 1024
const FIRST_BATCH = 16
const MOST_ITEMS = 4_096

/** What one handler appends: encoded where it runs, sent on in its order, in pieces of bounded size. */
export class Appender {
  #kind: Piece['kind'] | undefined
  #sent = Promise.resolve()
  #hasEnded = false

  constructor(
    private readonly context: Pick<ExecutionContext, 'append' | 'signal'>,
    private readonly verbatim: boolean,
  ) {}

  append(value: unknown): Promise<void> {
    const sent = this.#append(value)
    // Who does not wait for it hears of a failure at the end of the handler.
    sent.catch(() => {})
    return sent
  }

  /** Resolves when all that was appended so far is sent, or cannot be. */
  async sent(): Promise<void> {
    this.#hasEnded = true
    await this.#sent.catch(() => {})
  }

  /**
   * The handler has returned: what it returned is the last piece. Nothing where it never appended.
   * @throws what an `append` was rejected with; InvalidArgument where what was returned is no such piece
   */
  async end(returned: unknown): Promise<Appended | undefined> {
    if (this.#kind !== undefined && returned !== undefined) {
      if (kindOf(returned) !== this.#kind) throw unfitEnd(this.#kind)
      void this.append(returned)
    }
    this.#hasEnded = true
    await this.#sent
    return this.#kind === undefined ? undefined : { appended: true }
  }

  async #append(value: unknown): Promise<void> {
    this.context.signal.throwIfAborted()
    if (this.#hasEnded) throw new InvalidArgument('The handler has ended, so nothing is appended any more.')
    const before = this.#sent
    try {
      const kind = kindOf(value)
      if (!kind) throw new InvalidArgument('`append` takes a list of items, or a text.')
      this.#kind ??= kind
      const steps =
        kind === 'items' ? itemSteps(value as unknown[], this.verbatim) : textSteps(value as string)
      const taken = takeAtOnce(steps)
      this.#sent = before.then(() => this.#send(taken, steps))
    } catch (error) {
      // What is lost of a value fails its task.
      this.#sent = before.then(() => Promise.reject(error))
    }
    this.#sent.catch(() => {})
    return this.#sent
  }

  async #send(taken: readonly Piece[], rest: Iterator<Step, void>): Promise<void> {
    for (const piece of taken) await this.context.append(piece)
    for (let step = rest.next(); !step.done; step = rest.next()) {
      if (step.value.piece) await this.context.append(step.value.piece)
      await new Promise<void>(resolve => setImmediate(resolve))
    }
  }
}

/** Some work, of so many UTF-16 units, and the piece that is made by it. */
interface Step {
  readonly length: number
  readonly piece?: Piece
}

function kindOf(value: unknown): Piece['kind'] | undefined {
  if (typeof value === 'string') return 'text'
  return Array.isArray(value) ? 'items' : undefined
}

function takeAtOnce(steps: Iterator<Step, void>): Piece[] {
  const taken: Piece[] = []
  for (let length = 0; length < TAKEN_AT_ONCE; ) {
    const { done, value } = steps.next()
    if (done) break
    length += value.length
    if (value.piece) taken.push(value.piece)
  }
  return taken
}

function* itemSteps(list: readonly unknown[], verbatim: boolean): Generator<Step, void> {
  let batch = FIRST_BATCH
  // An empty list says what kind of value it is.
  if (list.length === 0) yield { length: 0, piece: { kind: 'items', json: '', count: 0 } }
  for (let first = 0; first < list.length; ) {
    const items = list.slice(first, first + batch)
    let json = ''
    for (const text of valuePieces(items, verbatim)) {
      json += text
      yield { length: text.length }
    }
    yield { length: 0, piece: { kind: 'items', json: json.slice(1, -1), count: items.length } }
    first += items.length
    batch = Math.min(MOST_ITEMS, Math.max(1, Math.round((items.length * PIECE_LENGTH) / json.length)))
  }
}

function* textSteps(text: string): Generator<Step, void> {
  for (let start = 0; start === 0 || start < text.length; start += PIECE_LENGTH) {
    const piece = text.slice(start, start + PIECE_LENGTH)
    yield { length: piece.length, piece: { kind: 'text', text: piece } }
  }
}

function unfitEnd(kind: Piece['kind']): InvalidArgument {
  const [there, more] = kind === 'items' ? ['items', 'a list of further items'] : ['text', 'more text']
  return new InvalidArgument(
    `A handler that has appended ${there} returns nothing, or ${more}. What it returned is neither.`,
  )
}
