import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { parseJson, stringifyJson } from '../../core/json-text.ts'
import { mapJson } from '../../core/map-json.ts'

/** The server's own name of a tool, which the cache knows by a longer one. */
export function nameAtServer(toolName: string): string {
  return toolName.replace(/@[^@]*$/, '')
}

/** What our own tools are called where the server has tools of their names: those keep them. */
export class ToolNames {
  /**
   * @param own the names that our tools have by themselves
   * @param isTaken whether the server has a tool of that name
   */
  constructor(
    private readonly own: readonly string[],
    private readonly isTaken: (name: string) => boolean,
  ) {}

  /** Our tools that are called otherwise. */
  get renamed(): string[] {
    return this.own.filter(name => this.isTaken(name))
  }

  of(name: string): string {
    let free = name
    while (this.isTaken(free)) free = `refcache_${free}`
    return free
  }

  /** Words of ours, with our tools called by their names here. */
  inText(text: string): string {
    return this.renamed.reduce(
      (changed, name) => changed.replace(new RegExp(`\\b(?<!refcache_)${name}\\b`, 'g'), this.of(name)),
      text,
    )
  }

  /** The same for whatever has words of ours in it. */
  inWords(words: JsonValue): JsonValue {
    if (this.renamed.length === 0) return words
    return mapJson(words, part => (typeof part === 'string' ? this.inText(part) : undefined))
  }

  /** The same for an answer of ours: its message and its error speak of what to call next; all else is data. */
  inAnswer<Answer extends JsonObject>(answer: Answer): Answer {
    if (this.renamed.length === 0) return answer
    const { content, structuredContent } = answer
    return {
      ...answer,
      ...(Array.isArray(content) ? { content: content.map(block => this.#inBlock(block)) } : {}),
      ...(isJsonObject(structuredContent) ? { structuredContent: this.#inBody(structuredContent) } : {}),
    }
  }

  #inBlock(block: JsonValue): JsonValue {
    if (!isJsonObject(block) || typeof block.text !== 'string') return block
    try {
      const body = parseJson(block.text)
      return isJsonObject(body) ? { ...block, text: stringifyJson(this.#inBody(body)) } : block
    } catch {
      return block
    }
  }

  #inBody(body: JsonObject): JsonObject {
    const named: JsonObject = {}
    for (const member of ['message', 'error']) {
      if (body[member] !== undefined) named[member] = this.inWords(body[member])
    }
    return { ...body, ...named }
  }
}
