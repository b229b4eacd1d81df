import { pause, untilAborted } from '../../core/abort.ts'
import { Backoff } from '../../core/backoff.ts'
import { type EncodedValue, encode } from '../../core/codec.ts'
import type { AppendedValue, Lease, ValueSegments } from '../../core/entry.ts'
import {
  InvalidArgument,
  MissingSegments,
  StoreFull,
  StoreUnavailable,
  TaskFailed,
} from '../../core/errors.ts'
import type { Piece } from '../../core/piece.ts'
import { createValueId, type RefId } from '../../core/ref.ts'
import { GrowingValue } from '../../values/segments/growing.ts'
import { type SegmentIndex, stringifyIndex } from '../../values/segments/segment-index.ts'
import type { Engine } from '../engine.ts'
import { lost } from './lease.ts'

/** At most one write of the entry in this time. */
const THROTTLE_MS = 100

const TRIES = { firstMs: 250, maxMs: 5_000 }

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
export class AppendWriter {
  #value: GrowingValue | undefined
  #id = ''
  /** How many segments are in the store. */
  #staged = 0
  /** Complete segments that are not in the store yet. */
  #ready: string[] = []
  /** The entry does not tell of all that was appended. */
  #untold = false
  /** Ends the pause between two writes of the entry. */
  #endPause: (() => void) | undefined
  #writing: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  #hasEnded = false
  readonly #abandoned = new AbortController()

  /** @param signal that of the handler */
  constructor(
    private readonly hold: Holding,
    private readonly signal: AbortSignal,
  ) {}

  /** @throws what is wrong with the piece; what the store failed with, before or now; the signal's reason when it has aborted */
  async append(piece: Piece): Promise<void> {
    this.signal.throwIfAborted()
    if (this.#hasEnded) throw new InvalidArgument('This attempt has ended, so nothing is appended any more.')
    const value = this.#value ?? this.#begin(new GrowingValue(piece.kind, this.hold.engine.encoding))
    this.#ready.push(...value.push(piece))
    this.#untold = true
    if (this.#failure) throw this.#failure.error
    if (this.#ready.length === 0 && (this.#writing || this.#endPause)) return
    await untilAborted(this.signal, () => this.#write())
  }

  /** Writes what is not written yet, without waiting for the next time to come. Does not reject. */
  async writeNow(): Promise<void> {
    await this.#writing?.catch(() => {})
    if (!this.#untold || this.#failure || this.#hasEnded) return
    this.#endPause?.()
    this.#endPause = undefined
    await this.#write().catch(() => {})
  }

  /** The handler has ended well: gives the value as it is stored. @throws as `append` */
  async end(): Promise<EncodedValue | StagedValue> {
    this.#hasEnded = true
    this.#endPause?.()
    // The settlement is the last write of the entry.
    this.#endPause = () => {}
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
    this.#endPause?.()
    await this.#writing?.catch(() => {})
    this.#endPause = undefined
    if (!this.#failure && this.#untold) await this.#write().catch(() => {})
    this.abandon()
  }

  /** Goes on with the value of a task that was cancelled: all that its handler has appended is copied. */
  takeOver(before: AppendWriter): void {
    const value = before.#value
    if (!value) return
    before.abandon()
    this.#begin(value)
    this.#untold = true
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
      if (!bytes) throw new TaskFailed('A part of what the task appended is gone from the store.')
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
    this.#endPause?.()
    this.#endPause = () => {}
    this.#abandoned.abort()
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
        if (!this.#endPause) await this.#tell()
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
  async #tell(): Promise<void> {
    this.#untold = false
    const { kind } = this.#value as GrowingValue
    const { available, jsonBytes, index, tail } = (this.#value as GrowingValue).soFar()
    const appended = { id: this.#id, count: this.#staged, kind, available, valueBytes: jsonBytes }
    await this.#retry(async () => this.#change(appended, { ...index, growing: { id: this.#id, tail } }))
    if (this.#hasEnded) return
    this.#endPause = this.hold.engine.clock.schedule(THROTTLE_MS, () => this.#goOn(), 'background')
  }

  #goOn(): void {
    this.#endPause = undefined
    // What it fails with is for the next `append`, or the end.
    if (this.#untold) this.#write().catch(() => {})
  }

  async #change(appended: AppendedValue, index: SegmentIndex): Promise<void> {
    const { engine, refId, lease, stop } = this.hold
    const bytes = await encode(stringifyIndex(index), { compress: engine.encoding.compress })
    const event = { type: 'append', owner: lease.owner, appended, now: engine.clock.now() } as const
    const { entry, refused } = await engine.entries.change(refId, event, { index: bytes })
    if (!refused) return
    const reason = lost(entry)
    stop(reason)
    throw reason
  }

  /** A store that is away is waited for, and so is one that is full, for a while. */
  async #retry<T>(step: () => Promise<T>): Promise<T> {
    const { clock, settings, stopping } = this.hold.engine
    const backoff = new Backoff(TRIES)
    let fullSince: number | undefined
    for (;;) {
      try {
        return await step()
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || error instanceof MissingSegments) throw error
        if (error instanceof StoreFull) {
          fullSince ??= clock.monotonic()
          if (clock.monotonic() >= fullSince + settings.storeFullTimeout) throw error
        }
        this.#abandoned.signal.throwIfAborted()
        await pause(clock, backoff.next(), stopping, 'background').catch(() => {
          throw error
        })
      }
    }
  }
}
