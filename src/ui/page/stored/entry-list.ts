import { html } from 'htm/preact'
import { useEffect, useState } from 'preact/hooks'
import type { Row, Size } from '../../api.ts'
import type { List } from '../state/list.ts'
import { open } from '../state/route.ts'
import { plural } from '../words.ts'
import { EntryRow, rowId } from './entry-row.ts'
import { useScroll } from './scroll.ts'
import { ROW_HEIGHT, scrolledTo, shownCount, type Window } from './window.ts'

interface EntryListProps {
  readonly list: List
  readonly sizes: ReadonlyMap<string, Size>
  /** How many there are on the server, as far as that is known. */
  readonly total: number | undefined
  readonly openedRef: string | undefined
  /** The end of what is loaded comes into view. */
  readonly onNear: () => void
  /** Asks again for the page that failed. */
  readonly onAgain: () => void
  readonly onView: (refs: readonly string[]) => void
}

/** A list of any length: only what is in view stands in the page. Arrow keys walk through it, Enter opens. */
export function EntryList(props: EntryListProps) {
  const { list, total, openedRef, onAgain } = props
  const { rows, nextCursor } = list
  const count = shownCount(rows.length, nextCursor !== undefined, total)
  const { box, shown, newer, toTop, listeners } = useScroll(count, rows)
  const [activeRef, setActiveRef] = useState<string | undefined>(undefined)
  const active = rows.findIndex(({ ref }) => ref === (activeRef ?? openedRef))
  useLoading(props, shown)

  const onKeyDown = (event: KeyboardEvent) => {
    const target = targetOf(event.key, active, rows.length, box.current?.clientHeight ?? 0)
    if (target === undefined) return pressed(event, rows[active])
    event.preventDefault()
    const row = rows[target]
    if (row === undefined || box.current === null) return
    setActiveRef(row.ref)
    box.current.scrollTop = scrolledTo(target, box.current.scrollTop, box.current.clientHeight)
    if (openedRef !== undefined) open(row.ref, true)
  }
  const isActiveShown = active >= shown.first && active < shown.end
  return html`${newer > 0 && html`<button type="button" class="newer" onClick=${toTop}>${plural(newer, 'newer entry', 'newer entries')}</button>`}
  <div
    ref=${box}
    class="entries"
    role="listbox"
    tabindex="0"
    aria-labelledby="stored-title"
    aria-activedescendant=${isActiveShown ? rowId(rows[active]!.ref) : undefined}
    ...${listeners}
    onKeyDown=${onKeyDown}
  >
    <div class="sizer" role="presentation" style=${{ height: `${count * ROW_HEIGHT}px` }}>
      ${indices(shown).map(index => rowAt(props, index, { count, active, onActive: setActiveRef }))}
    </div>
  </div>
  ${list.problem !== undefined && html`<p class="more-failed" role="alert"><span>${list.problem}</span> <button type="button" onClick=${onAgain}>Try again</button></p>`}`
}

/** Asks for the rows that come into view, and for what their values are. */
function useLoading({ list: { rows, nextCursor }, onNear, onView }: EntryListProps, shown: Window): void {
  useEffect(() => {
    if (shown.end > rows.length && nextCursor !== undefined) onNear()
    onView(rows.slice(shown.first, shown.end).flatMap(row => (row.status === 'complete' ? [row.ref] : [])))
  }, [shown, rows, nextCursor])
}

interface Place {
  readonly count: number
  readonly active: number
  readonly onActive: (ref: string) => void
}

function rowAt(
  { list, sizes, openedRef }: EntryListProps,
  index: number,
  { count, active, onActive }: Place,
) {
  const row = list.rows[index]
  const top = index * ROW_HEIGHT
  if (row === undefined)
    return html`<div key=${index} class="entry is-absent" style=${{ transform: `translateY(${top}px)` }} aria-hidden="true"></div>`
  const onOpen = () => {
    onActive(row.ref)
    open(row.ref)
  }
  return html`<${EntryRow}
    key=${row.ref}
    row=${row}
    size=${sizes.get(row.ref)}
    place=${index}
    top=${top}
    count=${count}
    isActive=${index === active}
    isOpened=${row.ref === openedRef}
    onOpen=${onOpen}
  />`
}

function indices({ first, end }: Window): number[] {
  return Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i)
}

function targetOf(key: string, active: number, count: number, height: number): number | undefined {
  const page = Math.max(1, Math.floor(height / ROW_HEIGHT) - 1)
  const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page }
  if (key === 'Home') return 0
  if (key === 'End') return count - 1
  const step = steps[key]
  if (step === undefined) return undefined
  return active < 0 ? 0 : Math.min(count - 1, Math.max(0, active + step))
}

function pressed(event: KeyboardEvent, row: Row | undefined): void {
  if ((event.key !== 'Enter' && event.key !== ' ') || row === undefined) return
  event.preventDefault()
  open(row.ref)
}
