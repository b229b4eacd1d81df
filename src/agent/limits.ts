import { type AnswerLimits, narrower } from '../core/answer-limits.ts'
import { checkCount, checkLimit, type Names } from '../core/options.ts'
import { type Profile, profileNamed, profileOf, UNKNOWN_CLIENT } from './profiles.ts'

/** How large the answers of a server may be. */
export interface LimitOptions {
  /**
   * Up to so many tokens a result passes as the tool gave it; a larger one becomes a preview. Clients that take less get less.
   * `preview.inlineLimit` of a tool goes before.
   * @defaultValue 8000
   */
  inlineLimit?: number | undefined
  /** No answer has more tokens, whatever is asked. @defaultValue 25000, or what the client is known to take */
  answerCeiling?: number | undefined
}

const INLINE_TOKENS = 8_000
const CEILING_TOKENS = 25_000
/** An answer is there before its client gives up: 45 of 60 seconds. */
const PATIENCE_USED = 0.75

/** @throws InvalidArgument */
export function checkLimits({ inlineLimit, answerCeiling }: LimitOptions): void {
  if (inlineLimit !== undefined) checkLimit(inlineLimit, 'inlineLimit')
  if (answerCeiling !== undefined) checkCount(answerCeiling, 'answerCeiling')
}

/** What an answer to a client may have. What the operator says of tokens goes before what is known of the client. */
export function limitsOf(
  profile: Profile = UNKNOWN_CLIENT,
  { inlineLimit, answerCeiling }: LimitOptions = {},
  { servesResources = false }: { servesResources?: boolean | undefined } = {},
): AnswerLimits {
  const { inline, ceiling, reads, honoursToolLimit, followsLinks, patience } = profile
  const most = { ...ceiling, tokens: answerCeiling ?? ceiling?.tokens ?? CEILING_TOKENS }
  const usual = { ...inline, tokens: Math.min(INLINE_TOKENS, inline?.tokens ?? INLINE_TOKENS) }
  const own = inlineLimit === undefined ? usual : { ...inline, tokens: inlineLimit }
  return {
    inline: narrower(own, most),
    ceiling: most,
    reads,
    ...(honoursToolLimit ? { honoursToolLimit } : {}),
    ...(servesResources && followsLinks ? { followsLinks } : {}),
    ...(patience === undefined ? {} : { patience: patience * PATIENCE_USED * 1000 }),
  }
}

export interface ClientLimitOptions extends LimitOptions {
  /** The name of the profile that holds for every client. @defaultValue that of the client, by what it calls itself */
  profile?: string | undefined
}

export const CLIENT_LIMIT_OPTIONS: Names<ClientLimitOptions> = {
  inlineLimit: true,
  answerCeiling: true,
  profile: true,
}

/** What the clients of one server can take. */
export class ClientLimits {
  readonly #named: Profile | undefined
  readonly #known = new Map<Profile, AnswerLimits>()

  /**
   * @param server whether entries are resources there, so that links lead somewhere
   * @throws InvalidArgument
   */
  constructor(
    private readonly options: ClientLimitOptions = {},
    readonly server: { servesResources?: boolean | undefined } = {},
  ) {
    checkLimits(options)
    this.#named = options.profile === undefined ? undefined : profileNamed(options.profile)
  }

  /** @param clientInfo as a client introduces itself */
  profileOf(clientInfo: unknown): Profile {
    return this.#named ?? profileOf((clientInfo as { name?: unknown } | undefined | null)?.name)
  }

  /** Whether the client can be shown that an argument may be a reference. */
  listsReferences(clientInfo: unknown): boolean {
    return this.profileOf(clientInfo).listsReferences ?? true
  }

  of(clientInfo: unknown): AnswerLimits {
    const profile = this.profileOf(clientInfo)
    const known = this.#known.get(profile) ?? limitsOf(profile, this.options, this.server)
    this.#known.set(profile, known)
    return known
  }
}

/** Where a request of 2026-07-28 says who its client is. */
export const CLIENT_INFO_META = 'io.modelcontextprotocol/clientInfo'
