/**
 * The work, declared once: the server and its threads import it. It starts nothing by itself.
 */

import type { TaskContext } from 'mcp-refcache'
import { z } from 'zod'

/** A tool with its schema, which runs in the thread, too. */
export const countPrimes = {
  input: z.object({ below: z.int().min(2) }),
  handler({ below }: { below: number }, task: TaskContext) {
    let count = 0
    for (let n = 2; n < below; n++) {
      if (isPrime(n)) count++
      // Cheap: of a million reports a few cross to the server.
      if (n % 1_000 === 0) task.progress(n, below)
    }
    return { below, count }
  },
}

/** Never ends by itself, and hears nothing. */
export function searchForever(): never {
  for (;;);
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false
  return true
}
