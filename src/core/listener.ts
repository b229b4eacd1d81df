/**
 * Calls a listener of the user's. It may throw, or be async and reject. Neither may
 * reach the caller or end the process as an unhandled rejection.
 */
export function tell<Args extends unknown[]>(listener: (...args: Args) => unknown, ...args: Args): void {
  try {
    Promise.resolve(listener(...args)).catch(() => {})
  } catch {
    // As above.
  }
}
