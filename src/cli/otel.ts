import { instrument, isInstrumented } from '../telemetry/otel/instrument.ts'
import type { Log } from '../wrap/log.ts'
import { usage } from './exit.ts'

/** An exporter that cannot reach anybody must not keep this process alive. */
const FLUSH_WITHIN_MS = 2_000

/**
 * Makes spans and metrics of what this process does (`--otel`). The SDK that exports them is the operator's, loaded with `--import`.
 * Gives the end of it: what is not exported by then goes out first.
 */
export async function beginTelemetry(log: Log): Promise<() => Promise<void>> {
  // The module that registers the SDK may have done it, with options of its own.
  if (isInstrumented()) return async () => {}
  const instrumentation = await instrument().catch(error => {
    throw usage((error as Error).message)
  })
  if (!instrumentation.isExporting) {
    log.warn(
      'otel_not_registered',
      '--otel makes spans and metrics, but no SDK of OpenTelemetry is registered to export them: load one, as with NODE_OPTIONS="--import /path/to/otel.mjs".',
    )
  }
  return async () => {
    await Promise.race([
      instrumentation.flush(),
      new Promise(resolve => setTimeout(resolve, FLUSH_WITHIN_MS).unref()),
    ])
    instrumentation.end()
  }
}
