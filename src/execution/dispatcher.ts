import type { Logger } from '../core/logger.ts'
import type { RefId } from '../core/ref.ts'

/** Work that waits for somebody to take it: all that a message to another process needs. The entry says the rest. */
export interface PendingWork {
  readonly refId: RefId
  readonly toolName: string
}

/**
 * Takes pending work and runs it in this process until it has ended here. Of several processes that try, one succeeds.
 * - `ended`: it ran here, and is settled or was given away.
 * - `not_pending`: somebody else has taken it, or it is gone.
 * - `unknown_tool`: this process lacks its tool; the work still waits.
 * - `foreign`: it is of a cache of another name, which this process does not serve; the work still waits.
 * - `closing`: this process ends; the work still waits.
 */
export type TakeWork = (
  refId: RefId,
) => Promise<'ended' | 'not_pending' | 'unknown_tool' | 'foreign' | 'closing'>

/** Says who takes pending work: this process, or any process that listens. The entry says who runs a task. */
export interface Dispatcher {
  /** Other processes may take the work, so its entry is stored before. False: `dispatch` always says `here`. */
  readonly shared: boolean
  /**
   * `here`: this process begins at once. `elsewhere`: the work is announced, and whichever process hears of it calls its
   * `take`. An announcement may get lost: a sweep dispatches pending work again when its lease has run out.
   */
  dispatch(work: PendingWork): 'here' | 'elsewhere'
  /** The cache gives what takes announced work in its process, and whom to tell of trouble. It does so once, before it dispatches anything. */
  listen?(take: TakeWork, logger: Logger): void
  /** Takes no more work. The cache calls it when it closes. */
  close?(): Promise<void>
}

/** This process takes all of its work, at once. */
export function localDispatcher(): Dispatcher {
  return { shared: false, dispatch: () => 'here' }
}
