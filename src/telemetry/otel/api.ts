import { InvalidArgument } from '../../core/errors.ts'
import { brokenPackage, isMissing } from '../../core/missing-package.ts'

/** `@opentelemetry/api`, as it was loaded. */
export type Api = typeof import('@opentelemetry/api')

/** @throws InvalidArgument when it is not installed, or does not load */
export async function loadApi(): Promise<Api> {
  try {
    return await import('@opentelemetry/api')
  } catch (cause) {
    const message = isMissing('@opentelemetry/api', cause)
      ? 'Spans and metrics need the package @opentelemetry/api: npm install @opentelemetry/api'
      : brokenPackage('@opentelemetry/api', cause)
    throw new InvalidArgument(message, { cause })
  }
}
