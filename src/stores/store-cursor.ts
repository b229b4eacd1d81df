/** Where a feed of changes goes on: after so many changes of the history that is called `history`. */
export function changeCursor(history: string, position: number): string {
  return `${history}.${position}`
}

/** The position; nothing for a cursor of another history, as after a file was replaced. */
export function positionIn(history: string, cursor: string): number | undefined {
  const text = cursor.startsWith(`${history}.`) ? cursor.slice(history.length + 1) : ''
  return /^\d{1,16}$/.test(text) ? Number(text) : undefined
}
