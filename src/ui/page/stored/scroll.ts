import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Row } from '../../api.ts'
import { ROW_HEIGHT, type Window, windowAt } from './window.ts'

/**
 * Which rows are in view. At its top the list shows the newest; but once it is scrolled, or as long as somebody points at a row or has the
 * focus in it, what comes in above moves nothing: the list is scrolled by as much, and says how many are newer.
 */
export function useScroll(count: number, rows: readonly Row[]) {
  const box = useRef<HTMLDivElement>(null)
  const anchor = useRef(new Anchor()).current
  const isHeld = useRef(false)
  const [newer, setNewer] = useState(0)
  const [shown, setShown] = useState<Window>({ first: 0, end: Math.min(count, 30) })

  const look = () => {
    if (box.current === null) return
    const { scrollTop, clientHeight } = box.current
    const next = windowAt(scrollTop, clientHeight, count)
    if (scrollTop < ROW_HEIGHT) setNewer(0)
    anchor.note(scrollTop, rows, isHeld.current)
    setShown(now => (now.first === next.first && now.end === next.end ? now : next))
  }
  const toTop = () => {
    if (box.current !== null) box.current.scrollTop = 0
    box.current?.focus()
  }
  const hold = (isHeldNow: boolean) => {
    isHeld.current = isHeldNow
    if (!isHeldNow && box.current !== null) anchor.release(box.current)
    look()
  }

  useLayoutEffect(() => {
    const moved = box.current === null ? 0 : anchor.follow(box.current, rows)
    if (moved > 0) setNewer(known => known + moved)
    look()
  }, [rows, count])
  useEffect(() => {
    const observer = new ResizeObserver(look)
    if (box.current !== null) observer.observe(box.current)
    return () => observer.disconnect()
  }, [rows, count])
  const listeners = {
    onScroll: look,
    onPointerEnter: (event: PointerEvent) => event.pointerType === 'mouse' && hold(true),
    onPointerLeave: () => hold(false),
    onFocusIn: () => hold(true),
    onFocusOut: () => hold(false),
  }
  return { box, shown, newer, toTop, listeners }
}

/** The row at the upper edge, which stays there whatever comes in above it. */
class Anchor {
  /** Undefined while the list follows what is new. */
  #ref: string | undefined
  /** Where the list was scrolled to by what came in, and by nobody: from there it goes back by itself. */
  #pushedTo: number | undefined

  /** Somebody scrolled, or holds the list where it is. */
  note(scrollTop: number, rows: readonly Row[], isHeld: boolean): void {
    if (this.#pushedTo !== undefined && Math.abs(scrollTop - this.#pushedTo) > 1) this.#pushedTo = undefined
    const isFollowing = scrollTop < ROW_HEIGHT && !isHeld
    this.#ref = isFollowing ? undefined : rows[Math.floor(scrollTop / ROW_HEIGHT)]?.ref
  }

  /** Scrolls by as much as came in above, or left. @returns by how many rows */
  follow(element: HTMLElement, rows: readonly Row[]): number {
    if (this.#ref === undefined) return 0
    const before = Math.floor(element.scrollTop / ROW_HEIGHT)
    const moved = rows.findIndex(({ ref }) => ref === this.#ref) - before
    if (moved === 0 || before + moved < 0) return 0
    const isAtTop = element.scrollTop < ROW_HEIGHT || this.#pushedTo !== undefined
    element.scrollTop += moved * ROW_HEIGHT
    if (isAtTop) this.#pushedTo = element.scrollTop
    return moved
  }

  /** Nobody holds the list any more. */
  release(element: HTMLElement): void {
    if (this.#pushedTo !== undefined) element.scrollTop = 0
  }
}
