import { LazyAbort, untilAborted } from '../../core/abort.ts'
import { untilStored } from '../../core/backoff.ts'
import { type EncodedValue, encode } from '../../core/codec.ts'
import type { AppendedValue, Lease, ValueSegments } from '../../core/entry.ts'
import { InvalidArgument, MissingSegments, TaskFailed } from '../../core/errors.ts'
import type { Piece } from '../../core/piece.ts'
import { createValueId, type RefId } from '../../core/ref.ts'
import type { Due, Wait } from '../../core/timers.ts'
import { GrowingValue } from '../../values/segments/growing.ts'
import { type SegmentIndex, stringifyIndex } from '../../values/segments/segment-index.ts'
import type { Engine } from '../engine.ts'
import { lost } from './lease.ts'

/** At most one write of the entry in this time. */
const THROTTLE_MS = 100

/** Why a value that was appended cannot be completed. */
export const PART_IS_GONE = 'A part of what the task appended is gone from the store.'

const HAS_ENDED = 'This attempt has ended, so nothing is appended any more.'

/** A value whose segments are in the store; `bytes` is their index. */
export interface StagedValue {
  readonly bytes: Uint8Array
  readonly valueBytes: number
  readonly staged: ValueSegments
}

/** The attempt that appends. */
interface Holding {
  readonly engine: Engine
  readonly refId: RefId
  readonly lease: Lease
  /** The task is lost. */
  stop(reason: unknown): void
}

/**
 * Writes what the handler of one attempt appends, as long as the task is ours. Segments go into the store as they are complete; the entry
 * names them, and its index holds the rest, at most each 100 ms. Between two writes no more than that is held in memory, where the
 * handler waits for `append`.
 */
export class AppendWriter implements Due {
  #value: GrowingValue | undefined
  #id = ''
  /** How many segments are in the store. */
  #staged = 0
  /** Complete segments that are not in the store yet. */
  #ready: string[] = []
  /** Something was appended since the entry was last written. */
  #hasUnwritten = false
  /** The pause between two writes of the entry, as long as it lasts. */
  #pause: Wait | undefined
  /** The entry is not written here any more: the settlement does that, or nobody. */
  #leavesEntry = false
  #writing: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  #hasEnded = false
  readonly #abandoned = new LazyAbort()

  /** @param signal that of the handler */
  constructor(
    private readonly hold: Holding,
    private readonly signal: AbortSignal,
  ) {}

  /** @throws what is wrong with the piece; what the store failed with, before or now; the signal's reason when it has aborted */
  async append(piece: Piece): Promise<void> {
    this.signal.throwIfAborted()
    if (this.#hasEnded) throw new InvalidArgument(HAS_ENDED)
    const value = this.#value ?? this.#begin(new GrowingValue(piece.kind, this.hold.engine.encoding))
    this.#ready.push(...value.push(piece))
    this.#hasUnwritten = true
    if (this.#failure) throw this.#failure.error
    if (this.#ready.length === 0 && (this.#writing || this.#pause)) return
    await untilAborted(this.signal, () => this.#write())
  }

  /** Writes what is not written yet, without waiting for the next time to come. Does not reject. */
  async writeNow(): Promise<void> {
    await this.#writing?.catch(() => {})
    if (!this.#hasUnwritten || this.#failure || this.#hasEnded) return
    this.#stopPause()
    await this.#write().catch(() => {})
  }

  /** The handler has ended well: gives the value as it is stored. @throws as `append` */
  async end(): Promise<EncodedValue | StagedValue> {
    // Whoever took the value over ends it: a value ends once.
    this.#abandoned.throwIfAborted()
    this.#hasEnded = true
    this.#leavesEntry = true
    this.#stopPause()
    await this.#writing
    if (this.#failure) throw this.#failure.error
    const ended = (this.#value as GrowingValue).end()
    const { compress } = this.hold.engine.encoding
    const valueBytes = ended.jsonBytes
    if ('json' in ended) return { bytes: await encode(ended.json, { compress }), valueBytes }
    this.#ready.push(...ended.segments)
    await this.#write()
    const bytes = await encode(stringifyIndex(ended.index), { compress })
    return { bytes, valueBytes, staged: { id: this.#id, count: this.#staged } }
  }

  /** The attempt has failed: what was appended until then is kept, if it can be. */
  async flush(): Promise<void> {
    this.#hasEnded = true
    this.#stopPause()
    await this.#writing?.catch(() => {})
    if (!this.#failure && this.#hasUnwritten) await this.#write().catch(() => {})
    this.abandon()
  }

  /** Goes on with the value of a task that was cancelled: all that its handler has appended is copied. */
  takeOver(before: AppendWriter): void {
    const value = before.#value
    if (!value) return
    before.abandon()
    this.#begin(value)
    this.#hasUnwritten = true
    this.#writing = this.#writeAll(() => this.#copy(before))
    this.#writing.catch(() => {})
  }

  /** Resolves when what was appended before a hand-over is written. @throws as `append` */
  async written(): Promise<void> {
    await this.#writing
    if (this.#failure) throw this.#failure.error
  }

  async #copy(before: AppendWriter): Promise<void> {
    await before.#writing?.catch(() => {})
    const { engine, refId } = this.hold
    for (let position = 0; position < before.#staged; position++) {
      const name = { refId: before.hold.refId, valueId: before.#id, position }
      const bytes = await this.#retry(() => engine.store.readSegment(name))
      if (!bytes) throw new TaskFailed(PART_IS_GONE)
      await this.#retry(() =>
        engine.store.stage({ ...name, refId, valueId: this.#id }, bytes, engine.clock.now()),
      )
      this.#staged++
    }
    this.#ready.unshift(...before.#ready)
  }

  /** Nothing is written any more. */
  abandon(): void {
    this.#hasEnded = true
    this.#leavesEntry = true
    this.#stopPause()
    this.#abandoned.abort(new InvalidArgument(HAS_ENDED))
  }

  #begin(value: GrowingValue): GrowingValue {
    const { engine, refId } = this.hold
    this.#id = createValueId(engine.random)
    this.#value = value
    engine.running.setWriter(refId, () => this.writeNow())
    return value
  }

  #write(): Promise<void> {
    this.#writing ??= this.#writeAll()
    return this.#writing
  }

  async #writeAll(before = async () => {}): Promise<void> {
    const { engine, refId } = this.hold
    try {
      await before()
      // Whoever comes back for it needs an entry.
      await this.#retry(() => engine.lateClaims.storeNow(refId))
      do {
        await this.#stage()
        if (!this.#pause && !this.#leavesEntry) await this.#writeEntry()
      } while (this.#ready.length > 0)
    } catch (error) {
      this.#failure ??= { error }
      throw error
    } finally {
      this.#writing = undefined
    }
  }

  async #stage(): Promise<void> {
    const { engine, refId } = this.hold
    const { compress } = engine.encoding
    for (let [segment] = this.#ready; segment !== undefined; [segment] = this.#ready) {
      const bytes = await encode(segment, { compress })
      const name = { refId, valueId: this.#id, position: this.#staged }
      await this.#retry(() => engine.store.stage(name, bytes, engine.clock.now()))
      this.#staged++
      this.#ready.shift()
    }
  }

  /** Writes into the entry, and into its index, what there is. */
  async #writeEntry(): Promise<void> {
    this.#hasUnwritten = false
    const { kind } = this.#value as GrowingValue
    const { available, jsonBytes, index, tail } = (this.#value as GrowingValue).soFar()
    const { length } = index
    const appended = { id: this.#id, count: this.#staged, kind, available, valueBytes: jsonBytes, length }
    await this.#retry(async () => this.#change(appended, { ...index, growing: { id: this.#id, tail } }))
    if (this.#hasEnded) return
    this.#pause = this.hold.engine.timers.begin(THROTTLE_MS, this)
  }

  #stopPause(): void {
    this.#pause?.end()
    this.#pause = undefined
  }

  /** The pause is over. */
  onDue(): void {
    this.#pause = undefined
    // What it fails with is for the next `append`, or the end.
    if (this.#hasUnwritten) this.#write().catch(() => {})
  }

  async #change(appended: AppendedValue, index: SegmentIndex): Promise<void> {
    const { engine, refId, lease } = this.hold
    const bytes = await encode(stringifyIndex(index), { compress: engine.encoding.compress })
    const event = { type: 'append', owner: lease.owner, appended, now: engine.clock.now() } as const
    const { entry, refused } = await engine.entries.change(refId, event, { index: bytes })
    if (!refused) return
    const reason = lost(entry)
    this.hold.stop(reason)
    throw reason
  }

  /** A store that is away is waited for, and so is one that is full, for a while. */
  #retry<T>(step: () => Promise<T>): Promise<T> {
    const { clock, settings, stopping: signal } = this.hold.engine
    return untilStored(step, {
      clock,
      signal,
      kind: 'background',
      tryFullUntil: fullSince => fullSince + settings.storeFullTimeout,
      onFailure: error => {
        if (error instanceof MissingSegments) throw error
        this.#abandoned.throwIfAborted()
      },
    })
  }
}
