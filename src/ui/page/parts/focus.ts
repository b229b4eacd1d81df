import { useLayoutEffect, useRef } from 'preact/hooks'

/**
 * Where what has the focus goes away, as a button does after its action, the focus goes to what `next` says, and not to the top of the page.
 *
 * @returns listeners of the element around all that may have it
 */
export function useKeptFocus(next: () => HTMLElement | null | undefined) {
  const focused = useRef<Element | undefined>(undefined)
  useLayoutEffect(() => {
    if (focused.current === undefined || focused.current.isConnected) return
    focused.current = undefined
    if (document.activeElement === document.body) next()?.focus()
  })
  return {
    onFocusIn(event: FocusEvent) {
      focused.current = event.target as Element
    },
    /** An element that is gone tells of no other that has the focus now. */
    onFocusOut(event: FocusEvent) {
      if (event.relatedTarget !== null) focused.current = undefined
    },
  }
}
