import { InvalidArgument, ValueTooLarge } from './errors.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts'
import { parseJson, stringifyJson } from './json-text.ts'
import { canonical } from './key.ts'
import { serializeInput } from './serialize.ts'

/** The methods of MCP that ask the client's user, or the client's model. */
export type AskMethod = 'elicitation/create' | 'sampling/createMessage'

/**
 * What a caller can be asked, in the shape in which MCP's clients declare it: `{ elicitation: { form: {}, url: {} } }` for
 * forms and web pages (no mode at all means forms), `{ sampling: { tools: {} } }` for its model, which may use tools.
 */
export interface AskCapabilities {
  readonly elicitation?: { readonly form?: object | undefined; readonly url?: object | undefined } | undefined
  readonly sampling?: { readonly tools?: object | undefined } | undefined
}

/** What is asked, without its place in a task. */
export interface InputRequest {
  readonly method: AskMethod
  readonly params: JsonObject
}

/** A question of a running task, and its answer when there is one. */
export interface Question extends InputRequest {
  /** Unique within the task, and never used for another question. */
  readonly key: string
  readonly answer?: JsonObject
  /** The handler gave it up: it is not asked any more, and keeps its place and its key. */
  readonly closed?: true
}

/** A question that is answered by a form. */
export type ElicitFormParams = {
  readonly mode?: 'form'
  /** What the user is asked, in words. */
  readonly message: string
  /** JSON Schema of the answer: an object with members of simple types. */
  readonly requestedSchema: JsonObject
  readonly [more: string]: JsonValue | undefined
}

/** A question that is answered on a web page of its own. */
export type ElicitUrlParams = {
  readonly mode: 'url'
  /** Why the user should go there. */
  readonly message: string
  readonly url: string
  readonly [more: string]: JsonValue | undefined
}

/** What `task.elicit` asks the user: a form, or a web page to visit (the parameters of MCP's `elicitation/create`). */
export type ElicitParams = ElicitFormParams | ElicitUrlParams

/** What the user made of a question. */
export interface ElicitResult {
  readonly action: 'accept' | 'decline' | 'cancel'
  /** What the user filled in. The client should have validated it; check it again before relying on it. */
  readonly content?: JsonObject
}

/** Questions lie in the entry, which every poll reads. */
const MAX_BYTES = 1024 * 1024

/** What a handler asks, as plain JSON. @throws InvalidArgument */
export function toInputRequest(method: AskMethod, given: unknown): InputRequest {
  const params = parseJson(serializeInput(given))
  if (!isJsonObject(params)) throw new InvalidArgument('A question is an object of parameters.')
  if (method === 'elicitation/create') {
    if (typeof params.message !== 'string') throw new InvalidArgument('task.elicit needs a `message`.')
    if (params.mode === 'url' ? typeof params.url !== 'string' : !isJsonObject(params.requestedSchema)) {
      throw new InvalidArgument("task.elicit needs a `requestedSchema`, or a `url` where `mode` is 'url'.")
    }
  }
  return { method, params }
}

/** @throws InvalidArgument for what does not say what a caller can be asked */
export function checkInteractive(
  interactive: boolean | AskCapabilities | undefined,
): boolean | AskCapabilities | undefined {
  const valid = typeof interactive !== 'object' || (interactive !== null && !Array.isArray(interactive))
  if (valid && ['undefined', 'boolean', 'object'].includes(typeof interactive)) return interactive
  throw new InvalidArgument(
    '`interactive` is true, false, or what the caller can be asked: { elicitation: { form: {}, url: {} }, sampling: { tools: {} } }.',
  )
}

/** Whether a caller with these `interactive` abilities can be asked this. */
export function canBeAsked(
  interactive: boolean | AskCapabilities | undefined,
  request: InputRequest,
): boolean {
  return typeof interactive === 'object' ? allows(interactive, request) : interactive === true
}

function allows({ elicitation, sampling }: AskCapabilities, { method, params }: InputRequest): boolean {
  if (method === 'elicitation/create') {
    if (params.mode === 'url') return elicitation?.url !== undefined
    return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined)
  }
  const needsTools = params.tools !== undefined || params.toolChoice !== undefined
  return needsTools ? sampling?.tools !== undefined : sampling !== undefined
}

/** Whether it is the same question: then its answer holds, too. */
export function isSame(one: InputRequest, other: InputRequest): boolean {
  return one.method === other.method && canonical(one.params) === canonical(other.params)
}

/**
 * The questions of a task after its handler asked `request` as number `place` of this run. What an earlier run asked
 * at that place and later goes: there the two runs part, and an answer may mean something else after another question.
 */
export function asked(
  questions: readonly Question[],
  place: number,
  number: number,
  { method, params }: InputRequest,
): readonly Question[] {
  const key = `${method === 'elicitation/create' ? 'elicit' : 'sample'}-${number}`
  return [...questions.slice(0, place), { key, method, params }]
}

export function unanswered(questions: readonly Question[] = []): readonly Question[] {
  return questions.filter(isOpen)
}

function isOpen({ answer, closed }: Question): boolean {
  return answer === undefined && !closed
}

/** The questions without one that the handler gave up. */
export function withdrawn(questions: readonly Question[], key: string): readonly Question[] {
  return questions.map(question => (question.key === key ? { ...question, closed: true } : question))
}

/** The questions with those answers that are still wanted: the first answer to a question stands. */
export function answered(
  questions: readonly Question[],
  answers: Readonly<Record<string, JsonObject>>,
): readonly Question[] {
  return questions.map(question => {
    const answer = Object.hasOwn(answers, question.key) ? answers[question.key] : undefined
    return answer === undefined || !isOpen(question) ? question : { ...question, answer }
  })
}

/** Those of `given` that answer a question which waits for one. @throws InvalidArgument, ValueTooLarge */
export function toAnswers(questions: readonly Question[], given: unknown): Record<string, JsonObject> {
  // Before anything is made of them: what is too large is not even copied.
  const json = serializeInput(given)
  const all = parseJson(json)
  if (!isJsonObject(all))
    throw new InvalidArgument('Answers are an object: the key of each question, and its answer.')
  const answers: Record<string, JsonObject> = {}
  for (const question of unanswered(questions)) {
    if (Object.hasOwn(all, question.key)) answers[question.key] = checkAnswer(question, all[question.key])
  }
  checkSize(questions.flatMap(({ answer }) => answer ?? []).concat(Object.values(answers)), 'The answers')
  return answers
}

function checkAnswer({ key, method }: Question, answer: JsonValue | undefined): JsonObject {
  if (!isJsonObject(answer)) throw new InvalidArgument(`The answer to ${key} is an object.`)
  if (method === 'sampling/createMessage') return answer
  const { action, content } = answer
  if (action !== 'accept' && action !== 'decline' && action !== 'cancel') {
    throw new InvalidArgument(`The answer to ${key} needs an \`action\`: accept, decline or cancel.`)
  }
  if (content !== undefined && !isJsonObject(content)) {
    throw new InvalidArgument(`The \`content\` of the answer to ${key} is an object.`)
  }
  return answer
}

/** What a client said instead of an answer, as MCP's errors are: a model has no other way to decline. */
export function refusalIn(
  method: AskMethod,
  answer: JsonObject,
): { code: number; message: string } | undefined {
  const { error, ...more } = answer
  if (method !== 'sampling/createMessage' || !isJsonObject(error) || !isEmpty(more)) return undefined
  const { code, message, ...rest } = error
  return typeof code === 'number' && typeof message === 'string' && isEmpty(rest)
    ? { code, message }
    : undefined
}

function isEmpty(object: object): boolean {
  return Object.keys(object).length === 0
}

/** @throws ValueTooLarge for more than an entry should hold */
export function checkSize(parts: readonly JsonValue[], what: string): void {
  if (Buffer.byteLength(stringifyJson(parts)) <= MAX_BYTES) return
  throw new ValueTooLarge(
    `${what} of one task may have ${MAX_BYTES} bytes of JSON in all. Use a reference for what is larger.`,
  )
}
