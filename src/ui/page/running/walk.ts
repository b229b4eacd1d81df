import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { Task } from '../state/model.ts'

/**
 * Arrow keys walk through the tasks, and Tab leaves them: of all rows, one can be reached by Tab. The focus stays with its task; when the
 * task or its button goes, the focus moves to what is nearest.
 */
export function useWalk(tasks: readonly Task[]) {
  const list = useRef<HTMLUListElement>(null)
  /** Where the focus is, or was until what had it was gone. */
  const focused = useRef<{ ref: string; place: number } | undefined>(undefined)
  const [chosenRef, setChosenRef] = useState<string | undefined>(undefined)
  const activeRef = tasks.some(({ row }) => row.ref === chosenRef) ? chosenRef : tasks[0]?.row.ref
  const rowAt = (place: number) => list.current?.children[place]

  useLayoutEffect(() => {
    if (focused.current === undefined || document.activeElement !== document.body) return
    const { ref, place } = focused.current
    const now = tasks.findIndex(({ row }) => row.ref === ref)
    controlsIn(rowAt(now < 0 ? Math.min(place, tasks.length - 1) : now))[0]?.focus()
  })

  return {
    list,
    activeRef,
    onFocusIn() {
      const place = placeOfFocus(list.current)
      const ref = tasks[place]?.row.ref
      focused.current = ref === undefined ? undefined : { ref, place }
      setChosenRef(ref)
    },
    /** An element that is gone tells of no other that has the focus now. */
    onFocusOut(event: FocusEvent) {
      if (event.relatedTarget !== null) focused.current = undefined
    },
    onKeyDown(event: KeyboardEvent) {
      const place = placeOfFocus(list.current)
      const target = targetOf(event.key, place, tasks.length)
      if (target === undefined) return
      event.preventDefault()
      const kind = controlsIn(rowAt(place)).indexOf(document.activeElement as HTMLElement)
      const controls = controlsIn(rowAt(target))
      const control = controls[kind] ?? controls[0]
      control?.focus()
    },
  }
}

function placeOfFocus(list: HTMLUListElement | null): number {
  return [...(list?.children ?? [])].findIndex(row => row.contains(document.activeElement))
}

function controlsIn(row: Element | undefined): HTMLElement[] {
  return [...(row?.querySelectorAll<HTMLElement>('a, button') ?? [])]
}

function targetOf(key: string, place: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowDown':
      return Math.min(count - 1, place + 1)
    case 'ArrowUp':
      return Math.max(0, place - 1)
    case 'Home':
      return 0
    case 'End':
      return count - 1
    default:
      return undefined
  }
}
