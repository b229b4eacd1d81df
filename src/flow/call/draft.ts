import { type Actor, describeActor } from '../../access/actor.ts'
import type { Namespace } from '../../access/namespace.ts'
import { Permission } from '../../access/permission.ts'
import { type AccessPolicy, checkPolicy } from '../../access/policy.ts'
import { encode } from '../../core/codec.ts'
import { type Duration, toLimit } from '../../core/duration.ts'
import type { Entry, PendingEntry } from '../../core/entry.ts'
import { InvalidArgument, StoreUnavailable } from '../../core/errors.ts'
import { foreignReferencesIn, mayNameReferences, referencesIn } from '../../core/input.ts'
import type { JsonValue } from '../../core/json.ts'
import { parseJson, stringifyJson } from '../../core/json-text.ts'
import { checkInteractive } from '../../core/question.ts'
import { createRefId, type RefId } from '../../core/ref.ts'
import { isLossless, serializeInput } from '../../core/serialize.ts'
import { validate } from '../../core/standard-schema.ts'
import { checkTags, type Tool } from '../../core/tool.ts'
import type { Engine } from '../engine.ts'
import { newLease } from '../run/lease.ts'
import type { Ticket } from '../run/queue.ts'
import type { CallOptions } from './options.ts'
import { type AcceptedReferences, acceptReferences, refuseForeign } from './references.ts'
import type { Run } from './shared-runs.ts'

/** A call on its way to the store. */
export interface DraftedCall {
  /** The fingerprint of the call, where any process may share its result. */
  readonly key: string | undefined
  readonly namespace: Namespace
  /** The entry, made when it is first needed: a hit needs none. */
  readonly draft: () => PendingEntry
  /** The input as bytes for the store; absent where it may never be needed. */
  readonly encoded: Uint8Array | undefined
  readonly encodeInput: () => Promise<Uint8Array>
  readonly input: GivenInput
  /** Nobody but its caller could share or come back for the answer: its entry is claimed when it is first needed. */
  readonly isLate: boolean
  /** The call waits for the result; else it answers with a handle at once. */
  readonly isAwaited: boolean
  /** It has to wait for references in its input that are in flight. */
  readonly unsettled: boolean
  /** How long its work is under way already, in milliseconds. */
  readonly elapsed: number
  /** What makes two calls of one caller the same call. Absent where no call may follow another one's run. */
  readonly callKey: string | undefined
}

/** What this process has in its hands of the input of a call that it starts itself. */
export interface GivenInput {
  readonly json: string
  /** The entries of the references in it, where they were read a moment ago. */
  readonly used?: ReadonlyMap<RefId, Entry>
  /** What the call gives the handler beside it. */
  readonly local?: CallOptions['local']
}

/** What a call has whose work began before it entered the flow. */
export interface Admitted {
  /** What its entry is called. */
  readonly refId: RefId
  /** Its place in the queue. */
  readonly ticket: Ticket
  readonly run: Run
  /** How long its work is under way, in milliseconds. */
  readonly elapsed: number
  /** Its entry is there, though it may not be stored; or there will be none. */
  onClaimed(): void
}

/** The entry that a call would create, and the input its task would run with. */
export async function draftCall(
  engine: Engine,
  tool: Tool,
  input: unknown,
  who: Actor,
  options: CallOptions & { readonly within: number | undefined },
  admitted?: Admitted,
): Promise<DraftedCall> {
  if (engine.closing.aborted && !admitted) throw new StoreUnavailable('The cache is closed.')
  const interactive = checkInteractive(options.interactive)
  checkLocal(options.local)
  await engine.clock.agreed()
  const namespace = options.namespace ?? tool.namespace
  engine.access.enter(namespace, who, 'call')
  const policy = policyFor(engine, namespace, tool.policy, options.policy && checkPolicy(options.policy))
  const accepted = await acceptInput(engine, tool, input, who)
  const startedBy = describeActor(who)
  const about = { namespace, policy, startedBy, derivedFrom: accepted.derivedFrom, toolName: tool.name }
  engine.access.authorizeMaking(about, who)
  const { key, callKey } = sharingOf(engine, tool, options, about, accepted)
  const isLate = options.claim === 'late' && key === undefined && canBeLate(engine, about, who)
  const mayNeedNone = isLate || (key !== undefined && engine.recentHits.has(key))
  const encodeInput = () => encode(accepted.json, { compress: engine.store.capabilities.durable })
  let made: PendingEntry | undefined
  return {
    key,
    namespace,
    draft() {
      made ??= newEntry(engine, tool, about, accepted, { key, interactive, refId: admitted?.refId })
      return made
    },
    // Here, so that nothing comes between a call that may be shared and its claim.
    encoded: mayNeedNone ? undefined : await encodeInput(),
    encodeInput,
    isLate,
    input: { json: accepted.json, used: accepted.used, local: options.local },
    isAwaited: options.within !== 0,
    unsettled: accepted.unsettled,
    elapsed: admitted?.elapsed ?? 0,
    callKey,
  }
}

function checkLocal(local: unknown): void {
  if (local === undefined || typeof local === 'function') return
  throw new InvalidArgument("`local` is a function that gives the handler's third argument.")
}

/** What access to a call's result goes by. */
type Guarded = Pick<PendingEntry, 'namespace' | 'policy' | 'startedBy'> & Pick<AcceptedInput, 'derivedFrom'>

/** Nobody but the caller comes back for the result, and it may read what it is given. */
function canBeLate(engine: Engine, about: Guarded, who: Actor): boolean {
  return about.derivedFrom.length === 0 && engine.access.may(about, who, Permission.READ)
}

function newEntry(
  engine: Engine,
  tool: Tool,
  { namespace, policy, startedBy, derivedFrom }: Guarded,
  { json, uses }: AcceptedInput,
  {
    key,
    interactive,
    refId,
  }: { key: string | undefined; interactive: PendingEntry['interactive'] | false; refId: RefId | undefined },
): PendingEntry {
  return {
    key,
    tags: key === undefined ? undefined : tagsOf(tool, json),
    namespace,
    policy,
    startedBy,
    uses: uses.length > 0 ? uses : undefined,
    derivedFrom: derivedFrom.length > 0 ? derivedFrom : undefined,
    interactive: interactive || undefined,
    ...newTaskOf(engine, tool, namespace, refId),
  }
}

/** What a call's task needs to know of its input. */
interface AcceptedInput extends AcceptedReferences {
  /** As the caller gave it: the tool's schema makes of it what the handler gets, where that runs. */
  readonly json: string
  /** What makes two inputs the same. */
  readonly keyed: string
}

type Keyed = Pick<AcceptedInput, 'keyed' | 'derivedFrom' | 'unsettled' | 'isPartial'>

/**
 * A call's input as it is stored: validated where that is possible already; the references in it authorized for the caller.
 *
 * @throws NotFound for any reference that the caller may not use, whatever the reason; InvalidArgument; TaskFailed and
 *   TaskCancelled where a reference will never have a value
 */
async function acceptInput(engine: Engine, tool: Tool, input: unknown, who: Actor): Promise<AcceptedInput> {
  const json = inputText(tool, input)
  if (!tool.input && !mayNameReferences(json)) return withoutReferences(json, json)
  // As the handler's process will read it, wherever that is.
  const given = tool.verbatim ? input : parseJson(json)
  const foreign = foreignReferencesIn(engine.name, given, tool.resolveRefs)
  if (foreign.length > 0) await refuseForeign(engine, foreign, who)
  const places = referencesIn(engine.name, given, tool.resolveRefs)
  if (places.length > 0)
    return { json, keyed: json, ...(await acceptReferences(engine, tool, given as JsonValue, places, who)) }
  const keyed = tool.input ? keyTextOf(await validate(tool.input, given, 'The input'), json) : json
  return withoutReferences(json, keyed)
}

function withoutReferences(json: string, keyed: string): AcceptedInput {
  return { json, keyed, uses: [], used: new Map(), derivedFrom: [], unsettled: false, isPartial: false }
}

/**
 * Inputs of which the schema makes the same are the same call, where JSON tells all of what it makes. A Set or an instance
 * may differ in what JSON does not show: then the input counts as it was given.
 */
function keyTextOf(valid: unknown, json: string): string {
  return isLossless(valid) ? serializeInput(valid) : json
}

function inputText({ verbatim }: Tool, input: unknown): string {
  return verbatim ? stringifyJson(input as JsonValue) : serializeInput(input)
}

/** By what other calls share the result, in every process (`key`), or the run, in this one (`callKey`). */
function sharingOf(
  engine: Engine,
  tool: Tool,
  options: CallOptions,
  { namespace, policy, startedBy }: Pick<PendingEntry, 'namespace' | 'policy' | 'startedBy'>,
  { keyed, derivedFrom, unsettled, isPartial }: Keyed,
): { key?: string | undefined; callKey?: string | undefined } {
  // What a task had without a value may be another value after a retry.
  if (isPartial) return {}
  const input = options.identity === undefined ? keyed : inputText(tool, options.identity)
  const keyWith = (scope: readonly unknown[]) =>
    // Policies and guards are plain JSON, which their types do not say.
    engine.keys.of({
      cacheName: engine.name,
      toolName: tool.name,
      namespace,
      scope: scope as JsonValue,
      input,
    })
  // Callers whose results are guarded differently have different keys. While that is not known, each has its own.
  if (options.memoize ?? tool.memoize) {
    return { key: keyWith([policy, derivedFrom, unsettled ? startedBy : null]) }
  }
  if (!tool.readOnly || options.shareRuns === false) return {}
  // Another call of the same caller may not be able to answer what the run asks.
  return { callKey: keyWith([policy, derivedFrom, startedBy, options.interactive ?? false]) }
}

/** What makes two calls the same call whose input has no references and no schema. */
export function plainCallKey(
  engine: Engine,
  tool: Tool,
  input: unknown,
  options: CallOptions,
  about: Pick<PendingEntry, 'namespace' | 'policy' | 'startedBy'>,
): string | undefined {
  const keyed = options.identity === undefined ? inputText(tool, input) : ''
  return sharingOf(engine, tool, options, about, {
    ...withoutReferences('', keyed),
    keyed,
  }).callKey
}

/** Only what has a key can be freed. */
function tagsOf({ tags, verbatim }: Tool, json: string): readonly string[] | undefined {
  const made =
    typeof tags === 'function'
      ? checkTags(tags((verbatim ? parseJson(json) : JSON.parse(json)) as never))
      : tags
  return made.length === 0 ? undefined : made
}

/** What each new task of a tool begins with. */
export function newTaskOf(
  engine: Engine,
  tool: Tool,
  namespace: Namespace,
  refId = createRefId(engine.name, engine.random),
) {
  const { name: toolName, idempotent, preview, projection } = tool
  const ttl = tool.ttlMode === 'sliding' ? ttlFor(engine, namespace, tool.ttl) : undefined
  const pastDurations = engine.history.summary(toolName)
  return {
    status: 'pending',
    refId,
    toolName,
    createdAt: engine.clock.now(),
    version: 1,
    attempt: 0,
    maxRetries: tool.retry.maxRetries,
    idempotent,
    slidingTtl: ttl,
    keepFor: tool.keepFor,
    origin: tool.origin,
    retryHistory: [],
    pastDurations,
    preview,
    view: projection,
    madeOf: tool.madeOf,
    lease: newLease(engine),
  } as const
}

/** How long an entry is kept, in milliseconds; nothing for ever. The nearest word wins: its own, the namespace's, the cache's. */
export function ttlFor(
  engine: Engine,
  namespace: Namespace,
  own: Duration | null | undefined,
): number | undefined {
  if (own !== undefined) return toLimit(own, 'ttl')
  const { ttl } = engine.access.rule(namespace)
  return ttl === undefined ? engine.settings.defaultTtl : toLimit(ttl, 'ttl')
}

/** The entry's own policy, or else that of its namespace, with what a single call says on top. */
export function policyFor(
  engine: Engine,
  namespace: Namespace,
  own: AccessPolicy | undefined,
  call?: AccessPolicy,
): AccessPolicy {
  const policy = own ?? engine.access.rule(namespace).policy
  return call ? { ...policy, ...call } : policy
}
