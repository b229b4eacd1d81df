import type { Attributes, Counter, Histogram, Meter, UpDownCounter } from '@opentelemetry/api'
import type { CacheEvent } from '../../core/events.ts'
import type { SavingsMessage } from '../messages.ts'
import { nameOf } from './disclosure.ts'
import { ATTRIBUTES, DURATION_BUCKETS, METRICS, SIZE_BUCKETS, STORE_BUCKETS, VALUES } from './names.ts'

/**
 * Names, revisions and codes come from clients, servers and handlers, who may make them up without end: each would be a series of its
 * own. So many of each attribute are told apart.
 */
const MOST_VALUES = 100
const MOST_NAMES: Attributes = { [ATTRIBUTES.tool]: 1_000, [ATTRIBUTES.cache]: 1_000 }

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
  /** The values of each attribute that are told apart. */
  readonly #known = new Map<string, Set<string>>()

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
    this.#durations[name].record(ms / 1000, this.#series(attributes))
  }

  live(change: 1 | -1, attributes: Attributes): void {
    this.#live.add(change, this.#series(attributes))
  }

  called(outcome: string, attributes: Attributes): void {
    this.#counters.calls.add(1, this.#series({ ...attributes, [ATTRIBUTES.outcome]: outcome }))
  }

  made(valueBytes: number, attributes: Attributes): void {
    this.#valueSize.record(valueBytes, this.#series(attributes))
  }

  missedBeat(cache: string): void {
    this.#counters.missedBeats.add(1, this.#series({ [ATTRIBUTES.cache]: cache }))
  }

  saved({ cache, ...tokens }: SavingsMessage): void {
    for (const name of ['keptOut', 'pagedIn', 'added'] as const) {
      if (tokens[name] > 0) this.#tokens[name].add(tokens[name], this.#series({ [ATTRIBUTES.cache]: cache }))
    }
  }

  happened(cache: string, event: CacheEvent): void {
    const count = (
      name: 'settledTasks' | 'retries' | 'recovered' | 'removedEntries',
      more: Attributes = {},
    ) => this.#counters[name].add(1, this.#series({ [ATTRIBUTES.cache]: cache, ...more }))
    if (event.type === 'task:settled') {
      const error = event.errorCode === undefined ? {} : { [ATTRIBUTES.errorType]: event.errorCode }
      count('settledTasks', { [ATTRIBUTES.status]: event.status, ...error })
    } else if (event.type === 'task:retrying') count('retries')
    else if (event.type === 'task:recovered') count('recovered')
    else if (event.type === 'entry:deleted') count('removedEntries', { [ATTRIBUTES.removal]: event.reason })
  }

  /** The tool, as an attribute of a series. */
  tool(name: string | undefined): Attributes {
    return name === undefined ? {} : { [ATTRIBUTES.tool]: nameOf(name) }
  }

  #series(attributes: Attributes): Attributes {
    const series: Attributes = {}
    for (const [name, value] of Object.entries(attributes)) {
      series[name] = typeof value === 'string' ? this.#toldApart(name, value) : value
    }
    return series
  }

  #toldApart(name: string, value: string): string {
    const known = this.#known.get(name) ?? new Set()
    this.#known.set(name, known)
    if (known.has(value)) return value
    if (known.size >= Number(MOST_NAMES[name] ?? MOST_VALUES)) return VALUES.other
    known.add(value)
    return value
  }
}
