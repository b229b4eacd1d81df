import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Row } from '../../api.ts'
import { ROW_HEIGHT, type Window, windowAt } from './window.ts'

/**
 * Which rows are in view. At its top the list shows the newest; but once it is scrolled, or as long as somebody points at a row or has the
 * focus in it, what comes in above moves nothing: the list is scrolled by as much, and says how many are newer.
 */
export function useScroll(count: number, rows: readonly Row[]) {
  const box = useRef<HTMLDivElement>(null)
  /** The row at the upper edge; `undefined` while the list follows what is new. */
  const anchor = useRef<string | undefined>(undefined)
  const isHeld = useRef(false)
  /** Where the list was scrolled to by what came in, and by nobody: from there it goes back by itself. */
  const pushedTo = useRef<number | undefined>(undefined)
  const [newer, setNewer] = useState(0)
  const [shown, setShown] = useState<Window>({ first: 0, end: Math.min(count, 30) })

  const look = () => {
    if (box.current === null) return
    const { scrollTop, clientHeight } = box.current
    const next = windowAt(scrollTop, clientHeight, count)
    if (pushedTo.current !== undefined && Math.abs(scrollTop - pushedTo.current) > 1)
      pushedTo.current = undefined
    if (scrollTop < ROW_HEIGHT) setNewer(0)
    const isFollowing = scrollTop < ROW_HEIGHT && !isHeld.current
    anchor.current = isFollowing ? undefined : rows[Math.floor(scrollTop / ROW_HEIGHT)]?.ref
    setShown(now => (now.first === next.first && now.end === next.end ? now : next))
  }
  const toTop = () => {
    if (box.current !== null) box.current.scrollTop = 0
    box.current?.focus()
  }
  const hold = () => {
    isHeld.current = true
    look()
  }
  const release = () => {
    isHeld.current = false
    if (pushedTo.current !== undefined && box.current !== null) box.current.scrollTop = 0
    look()
  }

  useLayoutEffect(() => {
    const element = box.current
    if (element !== null && anchor.current !== undefined) {
      const before = Math.floor(element.scrollTop / ROW_HEIGHT)
      const moved = rows.findIndex(({ ref }) => ref === anchor.current) - before
      if (moved !== 0 && before + moved >= 0) {
        const isAtTop = element.scrollTop < ROW_HEIGHT || pushedTo.current !== undefined
        element.scrollTop += moved * ROW_HEIGHT
        if (isAtTop) pushedTo.current = element.scrollTop
        if (moved > 0) setNewer(known => known + moved)
      }
    }
    look()
  }, [rows, count])
  useEffect(() => {
    const observer = new ResizeObserver(look)
    if (box.current !== null) observer.observe(box.current)
    return () => observer.disconnect()
  }, [rows, count])
  return {
    box,
    shown,
    newer,
    toTop,
    onScroll: look,
    onPointerEnter: (event: PointerEvent) => event.pointerType === 'mouse' && hold(),
    onPointerLeave: release,
    onFocusIn: hold,
    onFocusOut: release,
  }
}
