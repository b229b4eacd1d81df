import { untilAborted } from '../../core/abort.ts'

/** Who waits for a turn. An object, since there may be very many. */
export interface TurnTaker {
  onTurn(): void
}

/** A task's place in the queue. */
export interface Ticket {
  /** Its turn has come: the task may run now. */
  readonly mayRun: boolean
  /** Tells it when the task may run, at once where it may already; `leave` drops it. */
  whenTurn(taker: TurnTaker): void
  /** Resolves when the task may run; rejects with the signal's reason when it is aborted first. */
  acquire(signal: AbortSignal): Promise<void>
  /** Gives the place up, whether or not its turn came. Twice is safe. */
  leave(): void
}

/** Tasks of one tool, in the order in which they came. */
interface Line {
  readonly tool: string
  readonly limit: number
  readonly waiting: Set<Place>
}

/** A class, since on V8 each object that is written with a getter has a hidden class of its own. */
class Place implements Ticket {
  #state: 'waits' | 'may run' | 'left' = 'waits'
  #taker: TurnTaker | undefined

  constructor(
    private readonly queue: TaskQueue,
    readonly tool: string,
  ) {}

  get mayRun(): boolean {
    return this.#state === 'may run'
  }

  begin(): void {
    this.#state = 'may run'
    this.#taker?.onTurn()
    this.#taker = undefined
  }

  whenTurn(taker: TurnTaker): void {
    if (this.#state === 'may run') {
      taker.onTurn()
      return
    }
    const before = this.#taker
    // Mostly it is the only one, and many wait: then there is nothing to put around it.
    this.#taker = before ? inTurn(before, taker) : taker
  }

  acquire(signal: AbortSignal): Promise<void> {
    return untilAborted(signal, () => new Promise(resolve => this.whenTurn({ onTurn: resolve })))
  }

  leave(): void {
    const before = this.#state
    this.#state = 'left'
    this.#taker = undefined
    if (before === 'may run') this.queue.vacate(this)
    if (before === 'waits') this.queue.giveUp(this)
  }
}

function inTurn(first: TurnTaker, second: TurnTaker): TurnTaker {
  return {
    onTurn: () => {
      first.onTurn()
      second.onTurn()
    },
  }
}

/** What the tools of one executor share. */
export interface SharedCapacity {
  readonly executor: string
  /** How many of their tasks run at once. */
  readonly capacity: number
}

/**
 * Limits how many tasks run in this process, in all, per executor and per tool. Tools take turns: one with a thousand waiting tasks
 * does not hold up another with one.
 */
export class TaskQueue {
  #running = 0
  #waiting = 0
  readonly #runningOf = new Map<string, number>()
  readonly #runningIn = new Map<string, number>()
  /** In the order of turns: the tool that was served goes to the end. */
  readonly #lines = new Map<string, Line>()

  constructor(
    private readonly maxRunning: number,
    private readonly maxWaiting: number,
    private readonly capacityFor: (tool: string) => SharedCapacity | undefined = () => undefined,
  ) {}

  /** A place for a task of `tool`, of which `limit` may run at once; nothing when too many wait already. */
  enter(tool: string, limit = Number.POSITIVE_INFINITY): Ticket | undefined {
    if (!this.#mayRun(tool, limit) && this.#waiting >= this.maxWaiting) return undefined
    return this.enterAgain(tool, limit)
  }

  /** The same for a task that waits for others before it can take its turn. */
  enterAside(tool: string, limit = Number.POSITIVE_INFINITY): Ticket | undefined {
    return this.#waiting < this.maxWaiting ? this.stepAside(tool, limit) : undefined
  }

  /** A ticket for an admitted task that waits for others. It counts as waiting, and holds up no other task. */
  stepAside(tool: string, limit = Number.POSITIVE_INFINITY): Ticket {
    let place: Ticket | undefined
    let left = false
    this.#waiting++
    const enter = () => {
      if (!place && !left) {
        this.#waiting--
        place = this.enterAgain(tool, limit)
      }
      return place
    }
    return {
      get mayRun() {
        return place?.mayRun ?? false
      },
      whenTurn: taker => enter()?.whenTurn(taker),
      acquire: signal => enter()?.acquire(signal) ?? Promise.resolve(),
      leave: () => {
        if (left) return
        left = true
        if (place) place.leave()
        else this.#waiting--
      },
    }
  }

  /** A place for a task that was admitted before, however many wait. */
  enterAgain(tool: string, limit = Number.POSITIVE_INFINITY): Ticket {
    const place = new Place(this, tool)
    if (this.#mayRun(tool, limit)) this.#begin(place)
    else this.#wait(tool, limit, place)
    return place
  }

  /** For its places alone: the turn of one is over. */
  vacate({ tool }: Place): void {
    this.#count(tool, -1)
    this.#serve()
  }

  /** For its places alone: one that waits gives up. */
  giveUp(place: Place): void {
    const line = this.#lines.get(place.tool)
    if (!line?.waiting.delete(place)) return
    this.#waiting--
    if (line.waiting.size === 0) this.#lines.delete(place.tool)
  }

  #mayRun(tool: string, limit: number): boolean {
    if (this.#running >= this.maxRunning || (this.#runningOf.get(tool) ?? 0) >= limit) return false
    const shared = this.capacityFor(tool)
    return !shared || (this.#runningIn.get(shared.executor) ?? 0) < shared.capacity
  }

  #begin(place: Place): void {
    this.#count(place.tool, 1)
    place.begin()
  }

  #count(tool: string, change: 1 | -1): void {
    const shared = this.capacityFor(tool)
    this.#running += change
    count(this.#runningOf, tool, change)
    if (shared) count(this.#runningIn, shared.executor, change)
  }

  #wait(tool: string, limit: number, place: Place): void {
    this.#waiting++
    const line = this.#lines.get(tool) ?? { tool, limit, waiting: new Set() }
    line.waiting.add(place)
    this.#lines.set(tool, line)
  }

  #serve(): void {
    for (const [tool, line] of this.#lines) {
      if (!this.#mayRun(tool, line.limit)) continue
      const [next] = line.waiting
      line.waiting.delete(next as Place)
      this.#waiting--
      this.#lines.delete(tool)
      if (line.waiting.size > 0) this.#lines.set(tool, line)
      this.#begin(next as Place)
      return
    }
  }
}

/** Stays there with 0: tools are few, and a map that grows and shrinks is made anew all the time. */
function count(running: Map<string, number>, name: string, change: 1 | -1): void {
  running.set(name, (running.get(name) ?? 0) + change)
}

/**
 * The place of one task in the queue: given up where the task only waits, taken again where it goes on. It is taken only
 * after that in the queue `before`, where there is one, and given up with it.
 */
export class QueueSlot {
  #ticket: Ticket | undefined
  /** A task that follows another one takes no place: `acquire` resolves at once. */
  needsPlace = true

  constructor(
    first: Ticket | undefined,
    private readonly queue: TaskQueue,
    private readonly tool: { readonly name: string; readonly maxConcurrentTasks?: number | undefined },
    private readonly before?: QueueSlot,
  ) {
    this.#ticket = first
  }

  /** Tells it when the task may run; until then nothing but this waits. */
  whenTurn(taker: TurnTaker): void {
    this.#enter().whenTurn(taker)
  }

  /** Resolves when the task may run; a place that was given up is taken again, at the end of the line. */
  async acquire(signal: AbortSignal): Promise<void> {
    if (!this.needsPlace) return
    if (this.before) await this.before.acquire(signal)
    return this.#enter().acquire(signal)
  }

  #enter(): Ticket {
    this.#ticket ??= this.queue.enterAgain(this.tool.name, this.tool.maxConcurrentTasks)
    return this.#ticket
  }

  /** Gives the place up until `acquire` asks for one; the task still counts as one that waits. */
  stepAside(): void {
    this.leave()
    this.#ticket = this.queue.stepAside(this.tool.name, this.tool.maxConcurrentTasks)
  }

  /** The place goes to a slot that no task has yet. */
  detach(): QueueSlot {
    const slot = new QueueSlot(this.#ticket, this.queue, this.tool)
    this.#ticket = undefined
    return slot
  }

  /** Takes the place that another slot has. */
  takeFrom(other: QueueSlot): void {
    this.#ticket = other.#ticket
    other.#ticket = undefined
  }

  /** Gives the place up when `over` resolves; the next turn takes another one. */
  leaveAfter(over: Promise<void>): void {
    this.before?.leaveAfter(over)
    const ticket = this.#ticket
    this.#ticket = undefined
    void over.then(() => ticket?.leave())
  }

  /** Twice is safe. */
  leave(): void {
    this.before?.leave()
    this.#ticket?.leave()
    this.#ticket = undefined
  }
}
