import type { Actor, ActorLike } from '../../access/actor.ts'
import type { Namespace } from '../../access/namespace.ts'
import { type AccessPolicy, checkPolicy } from '../../access/policy.ts'
import { toDate } from '../../core/clock.ts'
import type { Duration } from '../../core/duration.ts'
import type { CompleteEntry, PreviewSettings } from '../../core/entry.ts'
import { InvalidArgument } from '../../core/errors.ts'
import { checkChoice, checkNames, checkPreview, type Names } from '../../core/options.ts'
import type { RefId } from '../../core/ref.ts'
import type { TtlMode } from '../../core/tool-options.ts'
import { ValueWriter } from '../../values/segments/writer.ts'
import { hostOr } from '../actor-option.ts'
import type { Engine } from '../engine.ts'
import { type CompleteDraft, storeComplete } from '../store-complete.ts'
import { ttlFor } from './draft.ts'

const OPTIONS: Names<SetOptions> = {
  namespace: true,
  policy: true,
  ttl: true,
  ttlMode: true,
  toolName: true,
  actor: true,
  preview: true,
}

/** Options of `RefCache.set`. */
export interface SetOptions {
  /** @defaultValue 'public' */
  namespace?: Namespace | undefined
  /** @defaultValue that of the namespace */
  policy?: AccessPolicy | undefined
  /** How long it is kept; null for ever. @defaultValue that of the namespace, else the cache's `defaultTtl` */
  ttl?: Duration | null | undefined
  /** Whether reading puts the expiry off by the `ttl`. @defaultValue 'fixed' */
  ttlMode?: TtlMode | undefined
  /** The tool that made it. */
  toolName?: string | undefined
  /** On whose behalf; it needs WRITE by the policy of the namespace. @defaultValue the host program itself */
  actor?: ActorLike | undefined
  preview?: PreviewSettings | undefined
}

/** The handle of a stored value. */
export interface CacheReference {
  readonly refId: RefId
  readonly label: string
  readonly namespace: Namespace
  readonly createdAt: Date
  /** Absent: never. */
  readonly expiresAt?: Date
}

/**
 * Stores a value under a new reference. A reference never changes its value: the same label again is a new one. A value of
 * more than a megabyte of JSON is read while it is stored: it must not change until then.
 */
export async function set(
  engine: Engine,
  label: string,
  value: unknown,
  options: SetOptions,
): Promise<CacheReference> {
  if (typeof label !== 'string' || label === '' || label.length > 256) {
    throw new InvalidArgument('A value is stored under a label of 1 to 256 characters.')
  }
  checkNames(options, OPTIONS, '`set`')
  // Up to a megabyte is read here: the caller may change its value from now on.
  const writer = new ValueWriter(value, engine.encoding)
  const who = hostOr(options.actor)
  return referenceTo(await storeComplete(engine, who, draftOf(engine, label, who, options), writer))
}

function draftOf(engine: Engine, label: string, who: Actor, options: SetOptions): CompleteDraft {
  const namespace = options.namespace ?? 'public'
  const { policy } = engine.access.enter(namespace, who, 'set')
  return {
    toolName: options.toolName,
    label,
    namespace,
    policy: options.policy ? checkPolicy(options.policy) : policy,
    ttl: ttlFor(engine, namespace, options.ttl),
    sliding: checkChoice(options.ttlMode, ['fixed', 'sliding'], 'ttlMode') === 'sliding',
    preview: options.preview && checkPreview(options.preview),
  }
}

/** The handle of an entry with a value. */
export function referenceTo(entry: CompleteEntry): CacheReference {
  const { refId, label, toolName = '', namespace, createdAt, expiresAt } = entry
  return {
    refId,
    label: label ?? toolName,
    namespace,
    createdAt: toDate(createdAt),
    ...(expiresAt === undefined ? {} : { expiresAt: toDate(expiresAt) }),
  }
}
