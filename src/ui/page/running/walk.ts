import { useRef, useState } from 'preact/hooks'
import { useKeptFocus } from '../parts/focus.ts'
import type { Task } from '../state/model.ts'

/**
 * Arrow keys walk through the tasks, and Tab leaves them: of all rows, one can be reached by Tab. The focus stays with its task; when the
 * task or its button goes, the focus moves to what is nearest.
 */
export function useWalk(tasks: readonly Task[]) {
  const list = useRef<HTMLUListElement>(null)
  const lastPlace = useRef(0)
  const [chosenRef, setChosenRef] = useState<string | undefined>(undefined)
  const activeRef = tasks.some(({ row }) => row.ref === chosenRef) ? chosenRef : tasks[0]?.row.ref
  const rowAt = (place: number) => list.current?.children[place]

  const kept = useKeptFocus(() => {
    const place = tasks.findIndex(({ row }) => row.ref === chosenRef)
    return controlsIn(rowAt(place < 0 ? Math.min(lastPlace.current, tasks.length - 1) : place))[0]
  })

  return {
    list,
    activeRef,
    ...kept,
    onFocusIn(event: FocusEvent) {
      kept.onFocusIn(event)
      lastPlace.current = placeOfFocus(list.current)
      setChosenRef(tasks[lastPlace.current]?.row.ref)
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
