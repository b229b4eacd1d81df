/**
 * What the live page and its server say to each other: JSON, times in ISO 8601, every route relative to the page. An answer that is none
 * has an HTTP status and a `Problem`.
 *
 * - `GET api/overview` → `Overview`
 * - `GET api/tasks` → `{ tasks: Row[] }`: all in flight, the oldest first, at most 200
 * - `GET api/entries?cursor&limit&cache&tool&find&status=…&status=…` → `RowPage`: the newest first, of one of these statuses; `find` is a part of
 *   the tool, the label or the reference, upper or lower case
 * - `GET api/sizes?ref=…&ref=…` → `{ sizes: Size[] }`: of the rows that are in view, at most 100
 * - `GET api/entry?ref` → `Detail`
 * - `GET api/graph?ref` → `EntryGraph`
 * - `GET api/value?ref&page` → `Shown`: `ref` may name a part (`ref#/rows/3`, `ref#L10-L20`)
 * - `POST api/query` with a `Question` → `Shown`
 * - `POST api/cancel`, `api/retry`, `api/delete` with `{ ref }`, `POST api/answer` with `{ ref, answers }` → `Done`
 * - `GET api/history?hours` → `History`
 * - `GET api/events` → server-sent events: `changes` with `Changes`; `reset` with `Overview`: what the page has is out of date, load all anew.
 *   A new stream begins with it; `problem` with `Problem`: the store cannot be used now, and a `reset` follows when it can
 */

/** How the entries that the one who looks may know of stand. */
export interface Overview {
  /** Now, by the server's clock: ages and bars go by it. */
  readonly now: string
  /** `operator`: all of a store. `actor`: what one actor may know of one cache. */
  readonly sight: 'operator' | 'actor'
  readonly running: number
  readonly waiting: number
  /** Absent, as are the tools, while a large store is counted for the first time. An event says it then. */
  readonly stored?: number
  readonly storedBytes?: number
  /** Something changed since that was counted. An event says how it is, as soon as it is counted again. */
  readonly areCountsOld?: true
  readonly tokens?: Tokens
  /** By name; of a server behind `wrap` its name. */
  readonly caches: readonly string[]
  readonly tools: readonly string[]
}

/** What answers saved and cost, in tokens. */
export interface Tokens {
  readonly keptOut: number
  readonly pagedIn: number
  readonly added: number
  readonly net: number
}

/** An entry in a list. */
export interface Row {
  readonly ref: string
  readonly cache: string
  readonly status: 'pending' | 'processing' | 'complete' | 'failed' | 'cancelled'
  readonly tool?: string
  readonly label?: string
  /** Sessions are shown as a digest. */
  readonly namespace?: string
  /** Who asked for it. */
  readonly who?: string
  readonly createdAt: string
  readonly startedAt?: string
  readonly completedAt?: string
  readonly expiresAt?: string
  /** Of the value's JSON. */
  readonly bytes?: number
  readonly attempt: number
  readonly retryAt?: string
  readonly progress?: {
    readonly current?: number
    readonly total?: number
    readonly percentage?: number
    /** Only where the one who looks may read the value. */
    readonly message?: string
  }
  readonly etaSeconds?: number
  /** Which process has it. */
  readonly owner?: string
  readonly errorCode?: string
  /** How many answers the task waits for. */
  readonly questions?: number
  /** How many other entries were made of it. */
  readonly usedBy?: number
  readonly may: readonly Action[]
}

export type Action = 'read' | 'cancel' | 'retry' | 'delete' | 'answer'

export interface RowPage {
  readonly entries: readonly Row[]
  readonly nextCursor?: string
}

/** What a value is, without the value. */
export interface Size {
  readonly ref: string
  /** In words: "list of 1,200 records", "text of 3,400 lines". */
  readonly kind: string
  readonly tokens?: number
  readonly tokensAreEstimated?: true
}

/** An opened entry. */
export interface Detail {
  readonly row: Row
  /** Why it failed, in words; only where the one who looks may read it. */
  readonly error?: string
  readonly retryHistory?: ReadonlyArray<{
    readonly attempt: number
    readonly code: string
    readonly at: string
  }>
  /** The tables of the value. Absent where it may not be read, or is not there yet. */
  readonly tables?: readonly Table[]
  /** What the task asks, by key. */
  readonly questions?: Readonly<Record<string, TaskQuestion>>
  /** What it was made of, and what was made of it: entries that the one who looks may know. */
  readonly uses: readonly Linked[]
  readonly usedBy: readonly Linked[]
}

export interface TaskQuestion {
  readonly message: string
  /** JSON Schema of what a form asks for. */
  readonly schema?: unknown
  /** The web page that answers it. */
  readonly url?: string
  /** The model of an agent's client answers it, no person. */
  readonly isForModel?: true
}

/** Another entry that one hangs together with. */
export interface Linked {
  readonly ref: string
  readonly tool?: string
  readonly status: Row['status']
  /** `input`: its value went in. `guard`: who may not see the one may not see the other. */
  readonly how: 'input' | 'guard'
}

/** What an entry was made of, and what was made of it, up to three steps each way. It has what the one who looks may know. */
export interface EntryGraph {
  /** The nearest first, at most 60. */
  readonly nodes: readonly GraphNode[]
  readonly edges: ReadonlyArray<{
    /** What was used. */
    readonly from: string
    /** What was made of it. */
    readonly to: string
    readonly how: Linked['how']
  }>
  /** So many are left out, at least. */
  readonly more?: number
}

export interface GraphNode extends Omit<Linked, 'how'> {
  readonly label?: string
  /** 0: the opened one. Below: what it was made of; above: what was made of it. */
  readonly level: number
}

export interface Table {
  /** As a question in SQL names it. */
  readonly name: string
  readonly rows: number
  readonly columns: readonly Column[]
}

export interface Column {
  readonly name: string
  readonly type?: string
  readonly distinct?: number
  readonly missing?: number
  readonly least?: string | number
  readonly greatest?: string | number
  /** The most frequent values, the first the most frequent; `share` is 0 to 1 of all rows. */
  readonly frequent?: ReadonlyArray<{ readonly value: string; readonly share: number }>
}

/** A value, or as much of it as was asked for. */
export interface Shown {
  /** What to ask for more: that of a question is new. */
  readonly ref: string
  /** Absent: the value is its media, and nothing else. */
  readonly content?:
    | {
        readonly kind: 'table'
        readonly columns: readonly string[]
        /** A text in the place of a row says what is left out. */
        readonly rows: ReadonlyArray<readonly unknown[] | string>
      }
    | { readonly kind: 'text'; readonly text: string }
    | { readonly kind: 'json'; readonly value: unknown }
  /** Of a tool's result: what is no text. */
  readonly media?: readonly Medium[]
  readonly page?: number
  readonly totalPages?: number
  readonly totalPagesAreEstimated?: true
  readonly totalItems?: number
  /** What an agent pays for this answer. */
  readonly tokens?: number
  readonly message?: string
}

/** An image, a sound, a file, or a link to one. */
export interface Medium {
  readonly kind: 'image' | 'audio' | 'file' | 'link'
  readonly name?: string
  /** What the tool says that it is. */
  readonly mimeType?: string
  readonly uri?: string
  readonly bytes?: number
  /** Of an image that a page can show: a `data:` URL, and its size in pixels. */
  readonly image?: { readonly url: string; readonly width: number; readonly height: number }
}

export interface Question {
  readonly ref: string
  /** One SELECT over the tables of the value; or else `search`. */
  readonly sql?: string
  readonly search?: string
  readonly context?: number
}

/** What an action did, in words. */
export interface Done {
  readonly message: string
  /** Absent: it is gone, or how it stands cannot be told now. */
  readonly row?: Row
}

export interface History {
  /** The oldest first: what was saved and cost from `at` on, an hour each. */
  readonly savings: ReadonlyArray<Tokens & { readonly at: string }>
  /** Runs that ended, the oldest first: those among the newest 2,000 entries that have ended. */
  readonly runs: ReadonlyArray<{
    readonly tool: string
    readonly at: string
    readonly milliseconds: number
    readonly status: 'complete' | 'failed' | 'cancelled'
  }>
  /** There are more: of what was asked for before then nothing is among the runs. */
  readonly runsFrom?: string
}

export interface Changes {
  readonly changed: readonly Row[]
  readonly deleted: readonly string[]
  readonly overview: Overview
}

export interface Problem {
  /** `ErrorCode` of the cache, or `unauthorized`, `forbidden`, `not_found`, `invalid_request`. */
  readonly code: string
  /** What went wrong, and what to do. */
  readonly message: string
}
