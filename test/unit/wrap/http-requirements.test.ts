import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

/** What the texts of the specifications say of HTTP and of streams that no scenario of the conformance suite checks in front of `wrap`. */
interface Requirement {
  readonly from: '2025-11-25' | '2026-07-28' | 'SEP-2243' | 'Fetch' | 'tasks'
  readonly section: string
  readonly says: string
  /** The test that holds it, by its file here and its title. */
  readonly heldBy: readonly [file: string, title: string]
}

const REQUIREMENTS: readonly Requirement[] = [
  {
    from: '2026-07-28',
    section: 'Streamable HTTP: Schema Extension',
    says: 'clients MUST leave tools out of tools/list whose x-mcp-header is invalid, and SHOULD log why',
    heldBy: ['mirrored-parameters', 'a tool whose headers are no good is not listed, is said once'],
  },
  {
    from: '2026-07-28',
    section: 'Streamable HTTP: Schema Extension',
    says: 'x-mcp-header is a token, unique whatever its case, on a string, integer or boolean, reached through properties',
    heldBy: ['mirrored-parameters', 'are no good with a name %s'],
  },
  {
    from: 'SEP-2243',
    section: 'Client Behavior',
    says: 'clients MUST mirror each such parameter that has a value as Mcp-Param-{Name}',
    heldBy: [
      'mirrored-parameters',
      'carry the headers of their tool, also where nobody has listed the tools',
    ],
  },
  {
    from: 'SEP-2243',
    section: 'Client Behavior',
    says: 'a call that is refused for its headers SHOULD be sent again with those of a new list',
    heldBy: [
      'mirrored-parameters',
      'carry the new headers where the tools have changed since they were listed',
    ],
  },
  {
    from: 'SEP-2243',
    section: 'Value Encoding',
    says: 'booleans and integers in decimal; what HTTP cannot carry, or looks like the mark, in Base64 with the mark',
    heldBy: ['mirrored-parameters', "describe('the value of such a header'"],
  },
  {
    from: '2025-11-25',
    section: 'Transports: Sending Messages to the Server',
    says: 'messages before the answer go on its stream, and relate to its request',
    heldBy: ['http-streams', 'goes on the stream of the one call'],
  },
  {
    from: '2025-11-25',
    section: 'Transports: Multiple Connections',
    says: 'each message goes on one stream alone',
    heldBy: ['http-streams', 'goes on that stream also where the client has another'],
  },
  {
    from: '2025-11-25',
    section: 'Transports: Sending Messages to the Server',
    says: 'the server SHOULD begin a stream with an event that has an id and empty data',
    heldBy: ['http-streams', 'begins with an event that says nothing, to come back with'],
  },
  {
    from: '2025-11-25',
    section: 'Transports: Resumability and Redelivery',
    says: 'Last-Event-ID brings what was missed of that stream, and of no other',
    heldBy: ['http-streams', 'is one of several: each gets its own'],
  },
  {
    from: '2025-11-25',
    section: 'Transports: Sending Messages to the Server',
    says: 'a disconnection is no cancellation',
    heldBy: [
      'http-streams',
      'goes on from where it was lost: what was said meanwhile, then what is said, then the answer',
    ],
  },
  {
    from: '2025-11-25',
    section: 'Progress: Behavior Requirements',
    says: 'every report of the server that goes forward reaches the client',
    heldBy: ['progress', 'each report of the server, however close they are'],
  },
  {
    from: '2025-11-25',
    section: 'Transports: Session Management',
    says: 'a client whose session is answered with 404 begins a new one with initialize',
    heldBy: ['http-browser', 'begins a new session with initialize, and anything else is told to'],
  },
  {
    from: '2025-11-25',
    section: 'Transports: Security Warning',
    says: 'servers MUST answer an Origin that is not allowed with 403',
    heldBy: ['http-browser', '%s is refused, with nothing that lets it read why'],
  },
  {
    from: 'Fetch',
    section: 'CORS protocol',
    says: 'a preflight names methods and headers; a response names the origin and what its page may read',
    heldBy: ['http-browser', 'is answered its preflight: the methods, the headers of MCP'],
  },
  {
    from: 'tasks',
    section: 'Task Creation; Task Status',
    says: 'a client that declares the extension has its calls as tasks, and is asked in the middle, whatever the server knows',
    heldBy: [
      '../../e2e/wrap-tasks',
      'a task client at 2026-07-28 on stdio, in front of a server that knows neither',
    ],
  },
]

it.each(REQUIREMENTS)('$from, $section: $says', ({ heldBy: [file, title] }) => {
  expect(readFileSync(new URL(`${file}.test.ts`, import.meta.url), 'utf8')).toContain(title)
})
