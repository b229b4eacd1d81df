/**
 * Calls a listener of the user's. It may throw, or be async and reject. Neither may
 * reach the caller or end the process as an unhandled rejection.
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
