import type { FlexibleSchema, Schema } from 'ai'
import type { SplitArguments } from '../agent/arguments.ts'
import type { ProgramTool } from '../agent/program/program-tool.ts'
import { InvalidArgument } from '../core/errors.ts'
import type { JsonObject } from '../core/json.ts'
import { brokenPackage, isMissing } from '../core/missing-package.ts'

/** Marks the schemas of the AI SDK, in every copy of it. */
const SCHEMA = Symbol.for('vercel.ai.schema')

type Validated = Awaited<ReturnType<NonNullable<Schema['validate']>>>

/** A schema of the AI SDK. */
export function toSchema(
  jsonSchema: () => JsonObject | Promise<JsonObject>,
  validate?: (value: unknown) => Promise<Validated>,
): Schema {
  let converted: JsonObject | Promise<JsonObject> | undefined
  return {
    [SCHEMA]: true,
    _type: undefined,
    get jsonSchema() {
      converted ??= jsonSchema()
      return converted
    },
    validate,
  } as unknown as Schema
}

/** A schema as a tool's author gave it: of zod, of another library, or of the AI SDK. */
export class GivenSchema {
  readonly #schema: Promise<Schema>

  constructor(given: FlexibleSchema) {
    this.#schema = loadAi().then(({ asSchema }) => asSchema(given))
    // Told to whoever asks.
    this.#schema.catch(() => {})
  }

  async jsonSchema(): Promise<JsonObject> {
    return (await (
      await this.#schema
    ).jsonSchema) as JsonObject
  }

  async validate(value: unknown): Promise<Validated> {
    const { validate } = await this.#schema
    return validate ? validate(value) : { success: true, value }
  }

  /** @throws what the schema says is wrong */
  async parse(value: unknown): Promise<unknown> {
    const validated = await this.validate(value)
    if (validated.success) return validated.value
    throw new InvalidArgument(`The input does not fit the tool: ${validated.error.message}`, {
      cause: validated.error,
    })
  }
}

async function loadAi(): Promise<typeof import('ai')> {
  try {
    return await import('ai')
  } catch (cause) {
    const message = isMissing('ai', cause)
      ? 'mcp-refcache/ai needs the package ai: npm install ai'
      : brokenPackage('ai', cause)
    throw new InvalidArgument(message, { cause })
  }
}

/** What a model sent, and what the tool's schema made of it. */
export interface ReadInput extends SplitArguments {
  /** What the tool works with; undefined: it holds references, so the schema is asked when their values are in. */
  readonly parsed: unknown
}

/** Reads the inputs of one tool. */
export class InputReader {
  /** Between the SDK's check of an input and its call: what the model sent is what is stored. */
  readonly #sent = new WeakMap<object, ReadInput>()

  constructor(
    private readonly schema: GivenSchema,
    private readonly tool: ProgramTool,
  ) {}

  /** An input with references passes; any other one is checked as without us. */
  readonly validate = async (sent: unknown): Promise<Validated> => {
    try {
      const split = await this.tool.split(sent)
      const validated: Validated = this.tool.holdsReferences(split.own)
        ? { success: true, value: split.own }
        : await this.schema.validate(split.own)
      if (validated.success && isObject(validated.value)) {
        const parsed = this.tool.holdsReferences(split.own) ? undefined : validated.value
        this.#sent.set(validated.value, { ...split, parsed })
      }
      return validated
    } catch (error) {
      return { success: false, error: error as Error }
    }
  }

  /** @param input as `validate` gave it to the SDK, or as the program itself gives it */
  async read(input: unknown): Promise<ReadInput> {
    const known = isObject(input) ? this.#sent.get(input) : undefined
    if (known) return known
    const split = await this.tool.split(input)
    return { ...split, parsed: this.tool.holdsReferences(split.own) ? undefined : split.own }
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
