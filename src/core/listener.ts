/**
 * Tells somebody else's function of something. It may throw, and it may be async and reject: that is its own affair,
 * and must neither reach whoever tells nor end the process as an unhandled rejection.
 */
export function tell<Args extends unknown[]>(listener: (...args: Args) => unknown, ...args: Args): void {
  try {
    const answer = listener(...args)
    if (isThenable(answer)) Promise.resolve(answer).catch(() => {})
  } catch {
    // As above.
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
  )
}
