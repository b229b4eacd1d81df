import type { Attributes, Counter, Histogram, Meter, UpDownCounter } from '@opentelemetry/api'
import type { CacheEvent } from '../../core/events.ts'
import type { SavingsMessage } from '../messages.ts'
import { nameOf } from './disclosure.ts'
import { ATTRIBUTES, DURATION_BUCKETS, METRICS, SIZE_BUCKETS, STORE_BUCKETS, VALUES } from './names.ts'

/** A client may make up names of tools, and each would be a series of its own. */
const MOST_TOOLS = 1_000

type Duration =
  | 'serverDuration'
  | 'clientDuration'
  | 'attemptDuration'
  | 'wait'
  | 'renderDuration'
  | 'queryDuration'
  | 'questionDuration'
  | 'storeDuration'
  | 'sweepDuration'

/** The instruments, and what is counted of each event. */
export class Metrics {
  readonly #durations: Record<Duration, Histogram>
  readonly #valueSize: Histogram
  readonly #live: UpDownCounter
  readonly #counters: Record<
    'calls' | 'settledTasks' | 'retries' | 'recovered' | 'missedBeats' | 'removedEntries',
    Counter
  >
  readonly #tokens: Record<'keptOut' | 'pagedIn' | 'added', Counter>
  readonly #tools = new Set<string>()

  constructor(meter: Meter) {
    const seconds = (name: Duration, description: string, buckets = DURATION_BUCKETS) =>
      meter.createHistogram(METRICS[name], {
        unit: 's',
        description,
        advice: { explicitBucketBoundaries: buckets },
      })
    const count = (name: keyof typeof METRICS, unit: string, description: string) =>
      meter.createCounter(METRICS[name], { unit, description })
    this.#durations = {
      serverDuration: seconds('serverDuration', 'Requests of clients, until they are answered.'),
      clientDuration: seconds('clientDuration', 'Requests to a wrapped server, until they are answered.'),
      attemptDuration: seconds('attemptDuration', 'Runs of handlers.'),
      wait: seconds('wait', 'How long tasks wait before their handler first runs.'),
      renderDuration: seconds('renderDuration', 'Values become what is shown of them.', STORE_BUCKETS),
      queryDuration: seconds('queryDuration', 'Questions of values, until they are answered.'),
      questionDuration: seconds('questionDuration', 'Questions of tasks to their callers.'),
      storeDuration: seconds('storeDuration', 'Operations of the store.', STORE_BUCKETS),
      sweepDuration: seconds('sweepDuration', 'Looks for expired entries and lost tasks.'),
    }
    this.#valueSize = meter.createHistogram(METRICS.valueSize, {
      unit: 'By',
      description: 'Values that handlers gave.',
      advice: { explicitBucketBoundaries: SIZE_BUCKETS },
    })
    this.#live = meter.createUpDownCounter(METRICS.liveTasks, {
      unit: '{task}',
      description: 'Tasks of this process that run or wait.',
    })
    this.#counters = {
      calls: count('calls', '{call}', 'Calls through the cache: won, joined, hit or refused.'),
      settledTasks: count('settledTasks', '{task}', 'Tasks that have ended.'),
      retries: count('retries', '{attempt}', 'Attempts that failed and are followed by another one.'),
      recovered: count('recovered', '{task}', 'Tasks taken over from a lost process.'),
      missedBeats: count('missedBeats', '{heartbeat}', 'Heartbeats that the store did not take.'),
      removedEntries: count('removedEntries', '{entry}', 'Entries that went.'),
    }
    this.#tokens = {
      keptOut: count('keptOut', '{token}', 'Tokens of results that became previews.'),
      pagedIn: count('pagedIn', '{token}', 'Tokens that were asked for afterwards.'),
      added: count('added', '{token}', 'Tokens of previews, handles and what stands around them.'),
    }
  }

  took(name: Duration, ms: number, attributes: Attributes): void {
    this.#durations[name].record(ms / 1000, attributes)
  }

  live(change: 1 | -1, attributes: Attributes): void {
    this.#live.add(change, attributes)
  }

  called(outcome: string, attributes: Attributes): void {
    this.#counters.calls.add(1, { ...attributes, [ATTRIBUTES.outcome]: outcome })
  }

  made(valueBytes: number, attributes: Attributes): void {
    this.#valueSize.record(valueBytes, attributes)
  }

  missedBeat(cache: string): void {
    this.#counters.missedBeats.add(1, { [ATTRIBUTES.cache]: cache })
  }

  saved({ cache, ...tokens }: SavingsMessage): void {
    for (const name of ['keptOut', 'pagedIn', 'added'] as const) {
      if (tokens[name] > 0) this.#tokens[name].add(tokens[name], { [ATTRIBUTES.cache]: cache })
    }
  }

  happened(cache: string, event: CacheEvent): void {
    const about = { [ATTRIBUTES.cache]: cache }
    if (event.type === 'task:settled') {
      const error = event.errorCode === undefined ? {} : { [ATTRIBUTES.errorType]: event.errorCode }
      this.#counters.settledTasks.add(1, { ...about, [ATTRIBUTES.status]: event.status, ...error })
    } else if (event.type === 'task:retrying') this.#counters.retries.add(1, about)
    else if (event.type === 'task:recovered') this.#counters.recovered.add(1, about)
    else if (event.type === 'entry:deleted')
      this.#counters.removedEntries.add(1, { ...about, [ATTRIBUTES.removal]: event.reason })
  }

  /** The tool, as a series may be told apart by it. */
  tool(name: string | undefined): Attributes {
    if (name === undefined) return {}
    const shown = nameOf(name)
    const isKnown = this.#tools.has(shown) || this.#tools.size < MOST_TOOLS
    if (isKnown) this.#tools.add(shown)
    return { [ATTRIBUTES.tool]: isKnown ? shown : VALUES.other }
  }
}
