import { parseExactly } from '../exact.ts'

/** A question's JSON Schema as fields of a form, and what was filled in as an answer. */

export interface Field {
  readonly name: string
  readonly label: string
  readonly description?: string
  readonly isRequired: boolean
  /** `json`: something that no simple field can take. */
  readonly kind: 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'json'
  readonly choices?: ReadonlyArray<{ readonly value: string; readonly title: string }>
  readonly initial?: string
}

interface Schema {
  readonly type?: unknown
  readonly title?: unknown
  readonly description?: unknown
  readonly default?: unknown
  readonly enum?: unknown
  readonly enumNames?: unknown
  readonly oneOf?: unknown
  readonly properties?: unknown
  readonly required?: unknown
}

export function fieldsOf(schema: unknown): readonly Field[] {
  const { properties, required } = asSchema(schema)
  const needed = new Set(Array.isArray(required) ? required : [])
  return Object.entries(asSchema(properties)).map(([name, member]) =>
    fieldOf(name, asSchema(member), needed.has(name)),
  )
}

function fieldOf(name: string, schema: Schema, isRequired: boolean): Field {
  const choices = choicesOf(schema)
  const { description, title, default: initial } = schema
  return {
    name,
    label: typeof title === 'string' ? title : name,
    isRequired,
    kind: choices === undefined ? kindOf(schema.type) : 'choice',
    ...(typeof description === 'string' ? { description } : {}),
    ...(choices === undefined ? {} : { choices }),
    ...(initial === undefined
      ? {}
      : { initial: typeof initial === 'string' ? initial : JSON.stringify(initial) }),
  }
}

function kindOf(type: unknown): Field['kind'] {
  switch (type) {
    case 'string':
      return 'text'
    case 'number':
    case 'integer':
    case 'boolean':
      return type
    default:
      return 'json'
  }
}

function choicesOf(schema: Schema): Field['choices'] {
  const { enum: values, enumNames, oneOf } = schema
  if (Array.isArray(values) && values.every(value => typeof value === 'string')) {
    const titles: readonly unknown[] = Array.isArray(enumNames) ? enumNames : []
    return values.map((value, i) => ({ value, title: String(titles[i] ?? value) }))
  }
  if (!Array.isArray(oneOf)) return undefined
  const options = oneOf.map(one => asSchema(one) as { const?: unknown; title?: unknown })
  if (!options.every(one => typeof one.const === 'string')) return undefined
  return options.map(one => ({ value: String(one.const), title: String(one.title ?? one.const) }))
}

/** Whether a link may lead there: `javascript:` and the like may not. */
export function isWebAddress(url: string): boolean {
  return URL.canParse(url) && ['http:', 'https:'].includes(new URL(url).protocol)
}

/**
 * What the input of a field is called. Inputs are members of their form, before its own: one called `nextSibling`, as a server may ask
 * for, would break the page.
 */
export function inputNameOf(field: string): string {
  return `field-${field}`
}

/** What was filled in; neither a value nor a problem where an optional field was left empty. */
export function answerOf(
  { name, label, kind }: Field,
  form: { get(name: string): unknown },
): { value?: unknown; problem?: string } {
  const text = form.get(inputNameOf(name))
  if (kind === 'boolean') return { value: text !== null }
  if (typeof text !== 'string' || text === '') return {}
  if (kind === 'number' || kind === 'integer') return { value: numberOf(text) }
  if (kind !== 'json') return { value: text }
  try {
    return { value: parseExactly(text) }
  } catch {
    return { problem: `${label} has to be JSON, such as ["a", "b"].` }
  }
}

/** Inputs take numbers that are none in JSON, such as `007` and `.5`. */
function numberOf(text: string): unknown {
  try {
    return parseExactly(text)
  } catch {
    return Number(text)
  }
}

function asSchema(value: unknown): Schema {
  return typeof value === 'object' && value !== null ? value : {}
}
