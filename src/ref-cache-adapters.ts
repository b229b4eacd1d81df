import { type ActorLike, toActor } from './access/actor.ts'
import type { AuditEvent } from './access/audit.ts'
import type { AnswerLimits } from './core/answer-limits.ts'
import type { RefId } from './core/ref.ts'
import type { TokenSavings } from './core/token-savings.ts'
import type { CallOptions } from './flow/call/options.ts'
import { type PassingCall, pass } from './flow/call/pass.ts'
import type { AwaitedCallers } from './flow/control/awaited-callers.ts'
import { type Export, type ExportRequest, openExport } from './flow/derive/export.ts'
import type { Engine } from './flow/engine.ts'
import { type EntryGraph, graphOf } from './flow/operate/graph.ts'
import {
  type KnownEntry,
  type KnownPage,
  knownEntry,
  type ListKnownOptions,
  listKnown,
} from './flow/operate/known.ts'
import { KnownFeed } from './flow/operate/known-feed.ts'
import { type EntryLinks, linksOf } from './flow/operate/links.ts'
import { type ListResultsOptions, listResults, type ResultPage } from './flow/operate/results.ts'
import { savingsSince } from './flow/operate/stored-savings.ts'
import { type TaskInfo, type TaskInfoOptions, taskInfo } from './flow/operate/task-info.ts'
import { checkTextCeiling } from './flow/read/limits.ts'
import { type ValueKind, valueKind, valueTables } from './flow/read/value-facts.ts'
import type { HourOfSavings } from './stores/store.ts'
import type { CountedTable } from './values/counted-tables.ts'

/** Where a cache keeps what is for adapters. Registered, so that two copies of this package in one process agree. */
export const ADAPTERS: unique symbol = Symbol.for('mcp-refcache.adapters')

/** What the adapters of this package need of a cache beside its public methods. Not for users: it may change in any version. */
export class AdapterAccess {
  constructor(private readonly engine: Engine) {}

  /** A task as other protocols show it. With `native` it changes the entry: from then on it is a task of MCP. @throws NotFound */
  taskInfo(refId: RefId, options: TaskInfoOptions = {}): Promise<TaskInfo> {
    return taskInfo(this.engine, refId, options)
  }

  /**
   * Lets a call of a tool pass without an entry while the adapter does its work. Undefined where something needs the entry from the
   * start: then it is a call like any other.
   * @param need called when something comes to need the entry: the adapter then calls `enter`, at once
   */
  pass(toolName: string, input: unknown, options: CallOptions, need: () => void): PassingCall | undefined {
    const tool = this.engine.tools.get(toolName)
    return tool && pass(this.engine, tool, input, options, need)
  }

  /** Why there are no questions in SQL in this place. Undefined: there are. */
  get sqlUnavailable(): string | undefined {
    return this.engine.sql.unavailable
  }

  /** A value as the content of a file. @throws as `RefCache.edit` */
  openExport(refId: RefId, request: ExportRequest): Promise<Export> {
    return openExport(this.engine, refId, request)
  }

  /** The finished values that an actor had made, the newest first. @throws InvalidArgument for what is no cursor */
  listResults(options: ListResultsOptions): Promise<ResultPage> {
    return listResults(this.engine, options)
  }

  /** All that an actor had made itself, as it may know of it, the newest first. @throws InvalidArgument for what is no cursor */
  listKnown(options: ListKnownOptions): Promise<KnownPage> {
    return listKnown(this.engine, options)
  }

  /** One entry as an actor may know of it, whoever had it made. @throws NotFound */
  knownEntry(refId: RefId, who: ActorLike): Promise<KnownEntry> {
    return knownEntry(this.engine, refId, who)
  }

  /** Follows what an actor had made itself. Begin it first. */
  knownFeed(who: ActorLike): KnownFeed {
    return new KnownFeed(this.engine, toActor(who))
  }

  /** What an entry was made of, and what was made of it, as far as an actor may know. @throws NotFound */
  linksOf(refId: RefId, who: ActorLike): Promise<EntryLinks> {
    return linksOf(this.engine, refId, who)
  }

  /** The same over several steps each way. @throws NotFound */
  graphOf(refId: RefId, who: ActorLike): Promise<EntryGraph> {
    return graphOf(this.engine, refId, who)
  }

  /** What a value is, without reading a large one. Undefined: there is none yet. @throws NotFound, PermissionDenied */
  valueKind(refId: RefId, who: ActorLike): Promise<ValueKind | undefined> {
    return valueKind(this.engine, refId, who)
  }

  /** The tables of a value, and what their columns are like. @throws NotFound, PermissionDenied */
  valueTables(refId: RefId, who: ActorLike): Promise<readonly CountedTable[]> {
    return valueTables(this.engine, refId, who)
  }

  /** Whether an answer may have that text. @throws AnswerTooLarge */
  checkCeiling(text: string, limits: AnswerLimits): Promise<void> {
    return checkTextCeiling(text, limits)
  }

  /** Whom the lost tasks of an adapter's tools wait for, as long as a failed task would be kept. */
  get awaitedCallers(): AwaitedCallers {
    return this.engine.awaitedCallers
  }

  /** So many characters stand before an agent because of us: tools, instructions. */
  countAdded(characters: number): void {
    this.engine.savings.addText(characters)
  }

  /** What answers of this process saved and cost. */
  get savings(): TokenSavings {
    return this.engine.savings.totals
  }

  /** The same by hours, of all processes on the store, as far as it keeps them. */
  savingsSince(since: Date): Promise<HourOfSavings[]> {
    return savingsSince(this.engine, since)
  }

  /** Tells the audit sink, if there is one, of a decision that was made outside of the cache. */
  recordDecision(event: Omit<AuditEvent, 'at'>): void {
    this.engine.access.record(event)
  }
}
