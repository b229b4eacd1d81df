/** Results of tools of MCP with so many bytes. */
export const LARGE_RESULTS = {
  'lines of a log': bytes => ({ content: [text(logOf(bytes))] }),
  'JSON in a text': bytes => ({ content: [text(JSON.stringify(recordsOf(bytes), null, 1))] }),
  'both fields': bytes => {
    const structuredContent = { result: recordsOf(bytes / 2) }
    return { content: [text(JSON.stringify(structuredContent, null, 1))], structuredContent }
  },
  'two texts': bytes => ({ content: [text(logOf(bytes / 2)), text(logOf(bytes / 2))] }),
  'a text beside other data': bytes => ({
    content: [text(logOf(bytes / 2))],
    structuredContent: { result: recordsOf(bytes / 2) },
  }),
} satisfies Record<string, (bytes: number) => object>

export type LargeResult = keyof typeof LARGE_RESULTS

/** As it comes from a file or from a server. What `JSON.stringify` or `+` gives, Node 20 puts together when it is first read. */
export function text(text: string) {
  text.charCodeAt(text.length - 1)
  return { type: 'text', text }
}

export function recordsOf(bytes: number) {
  return Array.from({ length: Math.round(bytes / 130) }, (_, id) => ({
    id,
    name: `User ${id}`,
    email: `user${id}@example.com`,
    address: { street: `${id} Main Street`, city: 'Springfield' },
  }))
}

function logOf(bytes: number): string {
  const lines: string[] = []
  for (let length = 0; length < bytes; length += (lines.at(-1) as string).length) {
    lines.push(`2026-01-01T12:00:00Z INFO request ${lines.length} of user ${lines.length % 97} took 12 ms\n`)
  }
  return lines.join('')
}
