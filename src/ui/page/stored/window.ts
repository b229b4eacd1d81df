/** Which rows of a long list stand in the page: those in view, and some around them. */

export const ROW_HEIGHT = 52
/** Rows above and below of those in view, so that fast scrolling shows rows and not gaps. */
const AROUND = 10
/** The window moves by so many rows at once. */
const STEP = 5
/** So far the list pretends to be loaded: whoever drags the bar to the end asks for some pages, not for thousands. */
const MOST_AHEAD = 20_000

export interface Window {
  readonly first: number
  /** One past the last. */
  readonly end: number
}

export function windowAt(scrollTop: number, height: number, count: number): Window {
  const top = Math.floor(Math.max(0, scrollTop) / ROW_HEIGHT)
  const first = Math.max(0, Math.floor((top - AROUND) / STEP) * STEP)
  const bottom = Math.ceil((scrollTop + height) / ROW_HEIGHT)
  return { first, end: Math.min(count, Math.ceil((bottom + AROUND) / STEP) * STEP) }
}

/** How long the list is shown to be: with the rows that are not loaded yet, as far as that is known. */
export function shownCount(loaded: number, hasMore: boolean, total: number | undefined): number {
  if (!hasMore) return loaded
  return Math.max(loaded + STEP, Math.min(total ?? 0, loaded + MOST_AHEAD))
}

/** Where the list has to be scrolled to, so that a row is in view. */
export function scrolledTo(index: number, scrollTop: number, height: number): number {
  const top = index * ROW_HEIGHT
  if (top < scrollTop) return top
  return Math.max(scrollTop, top + ROW_HEIGHT - height)
}
