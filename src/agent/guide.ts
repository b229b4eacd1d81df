import { SERVER_INSTRUCTIONS } from './instructions.ts'

/** How an agent works with references, as a prompt: it costs nothing until somebody asks for it. */

export const GUIDE_NAME = 'refcache_guide'

export const GUIDE = {
  title: 'How to work with references',
  description: 'How to follow, page, ask, pass on and change results that come as a ref_id.',
} as const

/** Options of the guide, the same in every adapter. */
export interface GuideOptions {
  /**
   * Registers the prompt `refcache_guide`, which says at length how an agent works with references.
   * @defaultValue false: clients show prompts to people, and a server without prompts would have one
   */
  guide?: boolean | undefined
}

const EXAMPLES = `## Examples

A call answers {"ref_id":"files:9f…","status":"processing","progress":{"current":15,"total":50},"eta_seconds":23.3}
→ get_cached_result {"ref_id":"files:9f…"}: it waits for the result. Ask again while it says "processing"; do not call the tool again.

A call answers {"ref_id":"files:9f…","status":"complete","is_complete":false,"preview":[…],"total_items":35000,"shape":{"items":{"rows":35000,"columns":{…}}}}
→ To find something out: query_cached_result {"ref_id":"files:9f…","sql":"select level, count(*) n from items group by 1 order by 2 desc"}.
→ To find a text: query_cached_result {"ref_id":"files:9f…","search":"timeout","context":2}.
→ To read it: get_cached_result {"ref_id":"files:9f…","page":1}, then 2, 3, … up to total_pages.
→ To read one part: get_cached_result {"ref_id":"files:9f…#/items/3/body"}, or "files:9f…#L120-L180" of a text.

To hand a result to another tool, without reading it
→ write_file {"path":"copy.json","content":"files:9f…"}. A part works too: {"content":"files:9f…#/items/3/body"}.

To change a large document
→ edit_cached_result {"ref_id":"files:9f…","edits":[{"op":"replace","path":"/rows/17/price","value":12}]}, or [{"find":"colour","replace":"color","all":true}] in a text. It answers
with a new ref_id; give that to the tool that writes.

A result says "permission_denied": it may be used and not seen. Pass its ref_id on.
A result says "not_found": it has expired. Call the tool that made it again.`

/** The whole guide, in Markdown. */
export function guideText(): string {
  return `# References\n\n${SERVER_INSTRUCTIONS}\n\n${EXAMPLES}`
}
