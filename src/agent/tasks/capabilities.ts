import type { AskCapabilities } from '../../core/question.ts'

/** What the two sides of a connection declare of tasks, by the protocol's own names. */

export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks'

/** What a server of 2025-11-25 declares that can run its tools as tasks. */
export const CORE_TASKS = { list: {}, cancel: {}, requests: { tools: { call: {} } } } as const

export interface Capabilities {
  readonly extensions?: object | undefined
  readonly elicitation?: unknown
  readonly sampling?: unknown
}

const CLIENT_CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities'

/** What the metadata of a request of 2026-07-28 says of its client. */
export function capabilitiesIn(
  meta: Readonly<Record<string, unknown>> | undefined,
): Capabilities | undefined {
  const capabilities = meta?.[CLIENT_CAPABILITIES]
  return typeof capabilities === 'object' && capabilities !== null ? capabilities : undefined
}

export function declaresExtension(capabilities: Capabilities | undefined): boolean {
  return Object.hasOwn(capabilities?.extensions ?? {}, TASKS_EXTENSION)
}

/**
 * What the client can pass on to its user or its model; nothing where that is nothing. One that declares no mode of
 * elicitation can show forms; web pages, and tools for the model, have to be declared.
 */
export function askableOf({ elicitation, sampling }: Capabilities = {}): AskCapabilities | undefined {
  if (elicitation === undefined && sampling === undefined) return undefined
  const url = declares(elicitation, 'url')
  const form = declares(elicitation, 'form') || !url
  return {
    ...(elicitation === undefined
      ? {}
      : { elicitation: { ...(form ? { form: {} } : {}), ...(url ? { url: {} } : {}) } }),
    ...(sampling === undefined ? {} : { sampling: declares(sampling, 'tools') ? { tools: {} } : {} }),
  }
}

function declares(capability: unknown, mode: string): boolean {
  if (typeof capability !== 'object' || capability === null) return false
  return (capability as Record<string, unknown>)[mode] !== undefined
}
