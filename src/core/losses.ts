/** How often the process that ran a task was lost, since the task was begun. */
export interface Losses {
  /** While it ran nothing else. */
  readonly alone: number
  /** While it ran other tasks too, so any of them may have ended it. */
  readonly together: number
}

/** Lost together so often, tasks run again one at a time. */
const MAX_TOGETHER_AT_ONCE = 1

/** A task that took so many processes down by itself is not given another one. */
const MAX_ALONE = 3

/** Nor one that was lost so often beside whatever else: that is no accident any more. */
const MAX_TOGETHER = 10

const NONE: Losses = { alone: 0, together: 0 }

export function withLoss({ alone, together }: Losses = NONE, wasTogether: boolean): Losses {
  return wasTogether ? { alone, together: together + 1 } : { alone: alone + 1, together }
}

/** Whether the next loss would say too little unless no other such task runs beside it. */
export function isSuspect({ together }: Losses = NONE): boolean {
  return together > MAX_TOGETHER_AT_ONCE
}

/** Whether a task that may be repeated is given another process. */
export function mayRunAgain({ alone, together }: Losses = NONE): boolean {
  return alone < MAX_ALONE && together < MAX_TOGETHER
}
