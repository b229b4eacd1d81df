import { InvalidArgument } from './errors.ts'
import type { JsonObject } from './json.ts'

/** The slice of the Standard Schema specification, version 1, that is used here (standardschema.dev). */
export interface StandardSchema<Input, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    validate(value: unknown): Validation<Output> | Promise<Validation<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

export type Validation<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: ReadonlyArray<Issue> }

interface Issue {
  readonly message: string
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined
}

/** Converted once: over HTTP tools are registered for every request. */
const jsonSchemas = new WeakMap<object, JsonObject | undefined>()

/** What a schema says of its input in JSON Schema, where its library offers that (Standard JSON Schema). */
export function jsonSchemaOf(schema: StandardSchema<unknown>): JsonObject | undefined {
  if (!jsonSchemas.has(schema)) jsonSchemas.set(schema, convert(schema))
  return jsonSchemas.get(schema)
}

function convert(schema: StandardSchema<unknown>): JsonObject | undefined {
  const standard = schema['~standard'] as { jsonSchema?: { input?: (options: object) => unknown } }
  const options = { target: 'draft-2020-12', libraryOptions: { unrepresentable: 'any' } }
  try {
    const converted = standard.jsonSchema?.input?.(options)
    return typeof converted === 'object' && converted !== null ? (converted as JsonObject) : undefined
  } catch {
    // What it accepts cannot be said in JSON Schema.
    return undefined
  }
}

/**
 * What the schema makes of a value: at once, where the schema does not take its time.
 * @throws InvalidArgument that lists what is wrong, and where
 */
export function validate<Output>(
  schema: StandardSchema<unknown, Output>,
  value: unknown,
  what: string,
): Output | Promise<Output> {
  const accepted = (validation: Validation<Output>) => {
    const issues = attempted(what, () => validation.issues?.map(describe).join('; '))
    if (issues === undefined) return (validation as { value: Output }).value
    throw new InvalidArgument(`${what} is not valid: ${issues}.`)
  }
  const validation = attempted(what, () => schema['~standard'].validate(value))
  if (!(validation instanceof Promise)) return accepted(validation)
  return validation.then(accepted, cause => {
    throw brokenSchema(what, cause)
  })
}

/** A validator is somebody else's code, and may throw anything. */
function attempted<Result>(what: string, run: () => Result): Result {
  try {
    return run()
  } catch (cause) {
    throw brokenSchema(what, cause)
  }
}

function brokenSchema(what: string, cause: unknown): InvalidArgument {
  return new InvalidArgument(
    `${what} could not be checked: the schema itself failed. Its author has to fix it.`,
    { cause },
  )
}

function describe({ message, path = [] }: Issue): string {
  const steps = path.map(step => String(typeof step === 'object' ? step.key : step))
  return steps.length === 0 ? message : `${steps.join('.')}: ${message}`
}
