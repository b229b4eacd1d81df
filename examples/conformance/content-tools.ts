/** What the general scenarios call: through the cache where they leave the answer to the server, else without it. */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CallToolResult,
  fromJsonSchema,
  type InputRequiredResult,
  inputRequired,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { AttachedRefCache } from 'mcp-refcache/mcp'
import { z } from 'zod'

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const SILENCE = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA='

const image = { type: 'image', data: PIXEL, mimeType: 'image/png' } as const
const audio = { type: 'audio', data: SILENCE, mimeType: 'audio/wav' } as const
const said = (text: string) => ({ type: 'text', text }) as const
const embedded = (uri: string, mimeType: string, text: string) =>
  ({ type: 'resource', resource: { uri, mimeType, text } }) as const

export function registerContentTools(
  server: McpServer,
  registerTool: AttachedRefCache['registerTool'],
  toolsChanged: () => void,
): void {
  registerTool(
    'test_simple_text',
    { description: 'Answers with a text.' },
    () => 'This is a simple text response for testing.',
  )
  registerTool('test_error_handling', { description: 'Always fails.' }, () => {
    throw new Error('This tool intentionally returns an error for testing')
  })
  registerTool('test_tool_with_progress', { description: 'Reports progress.' }, async (_, task) => {
    for (const current of [0, 50, 100]) {
      task.progress(current, 100)
      await sleep(150, undefined, { signal: task.signal })
    }
    return 'done'
  })
  registerTool(
    'json_schema_2020_12_tool',
    { description: 'Tool with JSON Schema 2020-12 features', inputSchema: fromJsonSchema(CONTACT) },
    args => args,
  )
  registerTool(
    'test_header_param',
    {
      description: 'Takes an argument that routers can read.',
      inputSchema: z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }) }),
    },
    ({ region }) => ({ region }),
  )

  const plain = (
    name: string,
    ...content: Array<typeof image | typeof audio | ReturnType<typeof embedded | typeof said>>
  ) => server.registerTool(name, { description: `Answers with ${name}.` }, () => ({ content: [...content] }))
  plain('test_image_content', image)
  plain('test_audio_content', audio)
  plain('test_embedded_resource', embedded('test://embedded-resource', 'text/plain', 'An embedded resource.'))
  plain(
    'test_multiple_content_types',
    said('Multiple content types test:'),
    image,
    embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
  )
  registerDiagnostics(server, toolsChanged)
}

type Answer = (context: ServerContext) => CallToolResult | InputRequiredResult | Promise<CallToolResult>

/** What the scenario of statelessness pokes at. */
function registerDiagnostics(server: McpServer, toolsChanged: () => void): void {
  const tool = (name: string, answer: Answer) =>
    server.registerTool(name, { description: `For the scenario: ${name}.` }, answer)
  const done = { content: [said('done')] }

  tool('test_logging_tool', async ({ mcpReq }) => {
    await mcpReq.log('info', 'a line of the log')
    return done
  })
  tool('test_trigger_tool_change', () => {
    toolsChanged()
    return done
  })
  tool('test_streaming_elicitation', ({ mcpReq }) =>
    mcpReq.inputResponses
      ? done
      : inputRequired({
          inputRequests: {
            answer: inputRequired.elicit({
              message: 'Go on?',
              requestedSchema: z.object({ on: z.boolean() }),
            }),
          },
        }),
  )
  // The SDK refuses to ask what the client did not declare.
  tool('test_missing_capability', ({ mcpReq }) =>
    mcpReq.inputResponses
      ? done
      : inputRequired({
          inputRequests: {
            answer: inputRequired.createMessage({
              messages: [{ role: 'user', content: said('Say something.') }],
              maxTokens: 10,
            }),
          },
        }),
  )
}

const CONTACT = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
} as const
