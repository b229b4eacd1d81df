import type { SourceConstraint } from '../../access/decision.ts'
import type { Entry } from '../../core/entry.ts'
import { referencesIn } from '../../core/input.ts'
import type { JsonValue } from '../../core/json.ts'
import { parseJson } from '../../core/json-text.ts'
import type { Tool } from '../../core/tool.ts'
import type { Engine } from '../engine.ts'
import type { GivenInput } from './draft.ts'
import { ReferenceResolver } from './reference-resolver.ts'
import { unique } from './references.ts'
import type { Memory } from './used-values.ts'

/**
 * An input with values in the places of the references that the caller wrote and, for a tool that wants it
 * (`resolveRefs: 'deep'`), of those that stand in the values themselves.
 *
 * @param guard hears of all that limits who may see the result, before anything is said of what was found, be it an error
 * @param memory waits for room for what is about to be parsed
 * @param signal ends it after the step that it is at
 */
export async function fillInput(
  engine: Engine,
  tool: Tool,
  entry: Entry,
  input: GivenInput,
  guard: Guard,
  memory: Memory,
  signal: AbortSignal,
): Promise<JsonValue> {
  const filling = new ReferenceResolver(engine, tool, entry, input.used, memory, signal)
  return guarded(filling, entry, guard, signal, async () => {
    const given = parseJson(input.json)
    if (!tool.takesReferences) return filling.fill(given, tool.resolveRefs)
    const soFar = new Set(tool.takesReferences.soFar(given))
    await filling.check(referencesIn(engine.name, given, tool.resolveRefs).filter(refId => !soFar.has(refId)))
    return given
  })
}

/** The same as JSON text, for a handler elsewhere: no value is parsed here. Takes what `fillInput` takes. */
export async function fillInputText(
  engine: Engine,
  tool: Tool,
  entry: Entry,
  input: GivenInput,
  guard: Guard,
  memory: Memory,
  signal: AbortSignal,
): Promise<string> {
  const filling = new ReferenceResolver(engine, tool, entry, input.used, memory, signal)
  return guarded(filling, entry, guard, signal, () =>
    filling.fillText(parseJson(input.json), tool.resolveRefs),
  )
}

type Guard = (guards: readonly SourceConstraint[]) => Promise<void>

async function guarded<Filled>(
  filling: ReferenceResolver,
  entry: Entry,
  guard: Guard,
  signal: AbortSignal,
  fill: () => Promise<Filled>,
): Promise<Filled> {
  try {
    return await fill()
  } finally {
    if (!signal.aborted) await guard(unique([...(entry.derivedFrom ?? []), ...filling.guards]))
  }
}
