import { fetchWithoutTimeout } from './fetch-without-timeout.ts'
import { addressOf, describeFailure, describeStatus, type Endpoint } from './http-channel.ts'

const ANSWER_MS = 10_000
/** A server of the old transport says at once where to write to; others keep the stream silent. */
const FIRST_EVENT_MS = 1_000

/**
 * Looks whether an MCP server answers at an address. Opens the stream that every server of the transport knows or refuses; nothing
 * runs by that.
 *
 * @throws with what is wrong there, and what to do about it
 */
export async function probeEndpoint(endpoint: Endpoint): Promise<void> {
  const failed = (why: string) => new Error(`The server at ${addressOf(endpoint)} cannot be used: ${why}`)
  const ending = new AbortController()
  const timer = setTimeout(() => ending.abort(), ANSWER_MS)
  try {
    const response = await fetchWithoutTimeout(endpoint.url, {
      headers: { ...endpoint.headers, accept: 'text/event-stream' },
      signal: ending.signal,
    }).catch((error: Error) => {
      throw failed(
        ending.signal.aborted ? `it does not answer within ${ANSWER_MS / 1_000} s.` : describeFailure(error),
      )
    })
    if (response.status === 401 || response.status === 403) throw failed(describeStatus(response.status))
    if (await isOldTransport(response)) {
      throw failed(
        `it speaks the old HTTP+SSE transport. Look for its Streamable HTTP address, often /mcp, or put a bridge between: mcp-refcache wrap -- npx -y mcp-remote ${addressOf(endpoint)} --transport sse-only`,
      )
    }
  } finally {
    clearTimeout(timer)
    ending.abort()
  }
}

async function isOldTransport(response: Response): Promise<boolean> {
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream')
  const reader = response.ok && isStream ? response.body?.getReader() : undefined
  if (!reader) return false
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<undefined>(resolve => {
    timer = setTimeout(resolve, FIRST_EVENT_MS, undefined)
  })
  const first = await Promise.race([reader.read().catch(() => undefined), silence])
  clearTimeout(timer)
  const text = first?.value ? new TextDecoder().decode(first.value) : ''
  return /^event:\s*endpoint\s*$/m.test(text)
}
