import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import { json, plain, SAFE_HEADERS } from './http.ts'

export interface EntranceOptions {
  /** What cookies are signed with. Who starts again with the same one lets open pages go on. */
  readonly key: Uint8Array
  /** Cookies know no ports: each server has a name, and a folder, of its own for its cookie. */
  readonly cookie: string
  readonly clock: Clock
  /** A link was used, or came too late: this is the next one's token. */
  readonly onNext: (token: string) => void
}

const COOKIE_MS = 12 * 3_600_000
const FOLDER_LENGTH = 22
/** A link stands in terminals and logs for long. */
const LINK_MS = 10 * 60_000

/** Lets those in who have the link that was printed: its token is good for once, and is exchanged for a cookie. */
export class Entrance {
  #token = newToken()
  #madeAt: number

  constructor(private readonly options: EntranceOptions) {
    this.#madeAt = options.clock.now()
  }

  /** What the next link has. */
  get token(): string {
    return this.#token
  }

  /**
   * Where the page lies. Browsers send a cookie to every port of a machine, but to no other folder than its own: another server of this
   * machine, which a browser is led to, does not know this one.
   */
  get folder(): string {
    return `/${this.#signature('folder').slice(0, FOLDER_LENGTH)}/`
  }

  /** Undefined: the request may pass. Else what it is answered with. */
  answer(request: Request): Response | undefined {
    const url = new URL(request.url)
    const token = url.searchParams.get('token')
    const isKnown = this.knows(request)
    if (token === null) return isKnown ? undefined : refusal(url, SHUT, 401)
    if (request.method === 'GET' && isSame(token, this.#token)) {
      const isOld = this.options.clock.now() - this.#madeAt >= LINK_MS
      this.#makeNext()
      if (!isOld) return this.#letIn(request)
      if (!isKnown) return refusal(url, OLD, 403)
    }
    // A link from the history of a browser that is in already.
    return isKnown ? onward(request) : refusal(url, USED, 403)
  }

  #makeNext(): void {
    this.#token = newToken()
    this.#madeAt = this.options.clock.now()
    this.options.onNext(this.#token)
  }

  #letIn(request: Request): Response {
    const response = onward(request)
    const seconds = COOKIE_MS / 1000
    response.headers.set(
      'set-cookie',
      `${this.options.cookie}=${this.#newCookie()}; Path=${this.folder}; Max-Age=${seconds}; HttpOnly; SameSite=Strict`,
    )
    return response
  }

  #newCookie(): string {
    const until = String(this.options.clock.now() + COOKIE_MS)
    return `${until}.${this.#signature(until)}`
  }

  /** Whether it comes with a cookie that is good. No token is used up. */
  knows({ headers }: Request): boolean {
    const prefix = `${this.options.cookie}=`
    const cookies = (headers.get('cookie') ?? '').split(/;\s*/)
    return cookies.some(cookie => cookie.startsWith(prefix) && this.#isOurs(cookie.slice(prefix.length)))
  }

  #isOurs(cookie: string): boolean {
    const [until = '', signature = ''] = cookie.split('.')
    return isSame(signature, this.#signature(until)) && Number(until) > this.options.clock.now()
  }

  #signature(until: string): string {
    const { key, cookie } = this.options
    return createHmac('sha256', key).update(`${cookie} ${until}`).digest('base64url')
  }
}

const SHUT =
  'This page is for whoever started it. Open the link with the token that mcp-refcache printed in its terminal or log.'
const USED =
  'This link has been used, or is of an earlier start: each link is good for once. The newest one stands in the terminal or log of mcp-refcache; or start it again.'

const OLD =
  'This link is older than ten minutes. A new one stands in the terminal or log of mcp-refcache now: open that.'

/** The page reads JSON, and people read text. */
function refusal({ pathname }: URL, message: string, status: 401 | 403): Response {
  return pathname.includes('/api/') ? json({ code: 'unauthorized', message }, status) : plain(message, status)
}

/** The same address without its token: a history keeps it. */
function onward(request: Request): Response {
  const { pathname } = new URL(request.url)
  const name = pathname.slice(pathname.lastIndexOf('/') + 1)
  return new Response(null, { status: 303, headers: { ...SAFE_HEADERS, location: `./${name}` } })
}

function newToken(): string {
  return randomBytes(24).toString('base64url')
}

/** In a time that says nothing of how much is right. */
function isSame(given: string, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(right))
}
