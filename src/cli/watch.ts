import { setTimeout as sleep } from 'node:timers/promises'
import { printable } from '../core/printable.ts'
import type { RefId } from '../core/ref.ts'
import type { InspectedEntry, Inspector } from '../inspect/index.ts'
import { createCommand } from './command.ts'
import { ENTRY_COLUMNS, entryJson, entryRow } from './entry-lines.ts'
import { CommandFailed, EXIT } from './exit.ts'
import { type Output, outputOf } from './show-answer.ts'
import { referenceOf, withInspector, withStoreOptions } from './store-option.ts'
import { formatTable } from './table.ts'

const LOOK_EVERY_MS = 400
/** So many tasks are followed at most, the newest ones. */
const MOST_TASKS = 200
const IN_FLIGHT = ['pending', 'processing'] as const

const AFTER = `
On a terminal the table moves; elsewhere each change is a line. It ends with Ctrl-C, or with the task that was named.

Examples:
  mcp-refcache watch                                all tasks of all servers
  mcp-refcache watch files:3f0c9a12 && mcp-refcache get files:3f0c9a12

Exit codes:
  0    ended by you, or the task is complete    1    the task failed or was cancelled
  2    wrong usage                              5    the store cannot be used
  6    no such reference`

/** Follows tasks in any process. */
export function watchCommand() {
  const command = createCommand(
    'watch',
    'Watch the tasks that run now, in any process on the store: how far they are, and how long they may still take.',
    'Values are not shown, and nothing is changed: a task does not notice.',
  )
    .argument('[ref]', 'one task, until it ends')
    .option('--json', 'each change as a line of JSON')
    .addHelpText('after', AFTER)
  return withStoreOptions(command).action(async (given, values) => {
    const ended = new AbortController()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort())
    process.exitCode = await withInspector(values, async inspector => {
      const refId = given === undefined ? undefined : await referenceOf(inspector, given)
      const view = values.json ? new Lines(outputOf(), true) : viewOf(outputOf())
      return follow(inspector, refId, view, ended.signal)
    })
  })
}

/** Where what is seen goes. */
interface View {
  /** @param tasks all that are followed @param changed those of them, and of those that ended, that changed */
  show(tasks: readonly InspectedEntry[], changed: readonly InspectedEntry[]): void
}

/** Gives the exit code. */
async function follow(
  inspector: Inspector,
  refId: RefId | undefined,
  view: View,
  signal: AbortSignal,
): Promise<number> {
  let { cursor } = await inspector.changes()
  let tasks = await tasksNow(inspector, refId)
  let changed = [...tasks.values()]
  while (!signal.aborted) {
    view.show([...tasks.values()], changed)
    const one = refId === undefined ? undefined : tasks.get(refId)
    if (one && !one.task) return one.status === 'complete' ? EXIT.ok : EXIT.failed
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
    const told = await inspector.changes(cursor)
    cursor = told.cursor
    if (refId !== undefined && told.deleted.includes(refId)) throw gone(refId)
    if (!told.isComplete) tasks = await tasksNow(inspector, refId)
    changed = told.isComplete
      ? told.changed.filter(entry =>
          refId === undefined ? entry.task || tasks.has(entry.refId) : entry.refId === refId,
        )
      : [...tasks.values()]
    for (const entry of changed) tasks.set(entry.refId, entry)
    for (const id of told.deleted) tasks.delete(id)
    if (refId === undefined) for (const [id, { task }] of tasks) if (!task) tasks.delete(id)
  }
  return EXIT.ok
}

async function tasksNow(inspector: Inspector, refId: RefId | undefined): Promise<Map<RefId, InspectedEntry>> {
  const entries =
    refId === undefined
      ? (await inspector.list({ statuses: IN_FLIGHT, limit: MOST_TASKS })).entries
      : [await inspector.entry(refId)]
  return new Map(entries.map(entry => [entry.refId, entry]))
}

function gone(refId: RefId): CommandFailed {
  return new CommandFailed(EXIT.notFound, 'not_found', `${refId} was deleted, or has expired.`)
}

function viewOf(out: Output): View {
  return out.width === undefined ? new Lines(out, false) : new MovingTable(out)
}

/** Each change is a line. */
class Lines implements View {
  constructor(
    private readonly out: Output,
    private readonly asJson: boolean,
  ) {}

  show(_: readonly InspectedEntry[], changed: readonly InspectedEntry[]): void {
    for (const entry of changed)
      this.out.answer(`${this.asJson ? JSON.stringify(entryJson(entry)) : lineOf(entry)}\n`)
  }
}

function lineOf(entry: InspectedEntry): string {
  const cells = entryRow(entry, Date.now(), false).filter(text => text !== '')
  return cells.map(printable).join('  ')
}

const DEFAULT_HEIGHT = 24

/** One table that is drawn again in its own place. */
class MovingTable implements View {
  #lines = 0

  constructor(private readonly out: Output) {}

  show(tasks: readonly InspectedEntry[]): void {
    const height = process.stdout.rows || DEFAULT_HEIGHT
    const shown = tasks.slice(0, Math.max(1, height - 3))
    const rows = shown.map(entry => entryRow(entry, Date.now(), true))
    const left = tasks.length - shown.length
    const table = formatTable(ENTRY_COLUMNS, left > 0 ? [...rows, `…(${left} more)`] : rows, this.out.width)
    const text = tasks.length === 0 ? 'No task runs. Waiting for one; Ctrl-C ends this.\n' : table
    if (this.#lines > 0) this.out.takeBack(this.#lines)
    this.out.answer(text)
    this.#lines = text.split('\n').length - 1
  }
}
