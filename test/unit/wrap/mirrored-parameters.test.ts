import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import * as z from 'zod'
import type { JsonObject } from '../../../src/core/json.ts'
import { parseJson } from '../../../src/core/json-text.ts'
import { HttpChannel } from '../../../src/wrap/channels/http-channel.ts'
import { MirroringChannel } from '../../../src/wrap/channels/mirroring-channel.ts'
import { parameterHeadersIn, parameterHeadersOf } from '../../../src/wrap/channels/parameter-headers.ts'
import { Wired, type WiredOptions } from './wired.ts'

const header = (name: unknown, type: unknown = 'string') => ({ type, 'x-mcp-header': name }) as never
const object = (properties: object): JsonObject => ({ type: 'object', properties }) as never

describe('the headers that a tool declares', () => {
  it('are found at any depth of its properties', () => {
    const schema = object({
      region: header('Region'),
      filter: object({ page: header('Page', 'integer'), 'x-mcp-header': header('Odd', 'boolean') }),
      plain: { type: 'string' },
    })
    expect(parameterHeadersIn(schema)).toEqual({
      headers: expect.arrayContaining([
        { name: 'Region', path: ['region'] },
        { name: 'Page', path: ['filter', 'page'] },
        { name: 'Odd', path: ['filter', 'x-mcp-header'] },
      ]),
    })
    expect(parameterHeadersIn(object({ a: { type: 'string' } }))).toEqual({ headers: [] })
    expect(parameterHeadersIn(undefined)).toEqual({ headers: [] })
    expect(parameterHeadersIn(true)).toEqual({ headers: [] })
  })

  it.each<[string, JsonObject]>([
    ['that is empty', object({ a: header('') })],
    ['that is no text', object({ a: header(7) })],
    ['that is null', object({ a: header(null) })],
    ['with a space', object({ a: header('My Region') })],
    ['with a colon', object({ a: header('Region:') })],
    ['with a line break', object({ a: header('Region\r\nX-Evil: 1') })],
    ['that is not ASCII', object({ a: header('Région') })],
    ['given twice, whatever the case', object({ a: header('Region'), b: object({ c: header('REGION') }) })],
    ['of a number', object({ a: header('A', 'number') })],
    ['of an object', object({ a: { ...object({}), 'x-mcp-header': 'A' } })],
    ['of a list', object({ a: header('A', 'array') })],
    ['of no type', object({ a: { 'x-mcp-header': 'A' } as never })],
    ['of several types', object({ a: header('A', ['string', 'null']) })],
    ['of all arguments', { ...object({}), 'x-mcp-header': 'A' }],
    ['in the items of a list', object({ a: { type: 'array', items: header('A') } })],
    ['in positions of a list', object({ a: { type: 'array', prefixItems: [header('A')] } })],
    ['in properties of items', object({ a: { type: 'array', items: object({ b: header('B') }) } })],
    ['in further properties', { type: 'object', additionalProperties: header('A') }],
    ['in a choice', { type: 'object', oneOf: [object({ a: header('A') })] }],
    ['in a condition', { type: 'object', if: object({ a: header('A') }) }],
    ['in a definition', { ...object({ a: { $ref: '#/$defs/a' } }), $defs: { a: header('A') } }],
  ])('are no good with a name %s', (_, schema) => {
    expect(parameterHeadersIn(schema)).toEqual({ problem: expect.stringMatching(/x-mcp-header .*\.$/) })
  })

  it('are read in a schema that is nested deeper than the engine’s stack', () => {
    let schema: JsonObject = header('Deep')
    for (let depth = 0; depth < 20_000; depth++) schema = object({ a: schema })
    expect(parameterHeadersIn(schema)).toMatchObject({ headers: [{ name: 'Deep' }] })
  })
})

describe('the value of such a header', () => {
  const base64 = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`
  it.each<[string, string | undefined]>([
    ['"us-west1"', 'us-west1'],
    ['"two words, and a \\t tab"', 'two words, and a \t tab'],
    ['""', '=?base64??='],
    ['"Zürich"', base64('Zürich')],
    ['"日本 🌏"', base64('日本 🌏')],
    ['" padded "', base64(' padded ')],
    ['"line\\nbreak"', base64('line\nbreak')],
    ['"\\u007f"', base64('\u007f')],
    ['"=?base64?aGk=?="', base64('=?base64?aGk=?=')],
    ['"=?base64?"', '=?base64?'],
    ['true', 'true'],
    ['false', 'false'],
    ['42', '42'],
    ['-7', '-7'],
    ['-0', '0'],
    ['42.0', '42'],
    ['4.20', '4.2'],
    ['1e3', '1000'],
    ['9007199254740991', '9007199254740991'],
    ['9007199254740993', undefined],
    ['1e400', undefined],
    ['null', undefined],
    ['[1]', undefined],
    ['{"a":1}', undefined],
  ])('of %s is %s', (json, expected) => {
    const args = parseJson(`{"a":{"b":${json}}}`)
    const headers = parameterHeadersOf([{ name: 'X', path: ['a', 'b'] }], args)
    expect(headers).toEqual(expected === undefined ? {} : { 'Mcp-Param-X': expected })
  })

  it('is left out where the argument is absent', () => {
    for (const args of ['{}', '{"a":null}', '{"a":"b"}', '{"a":[{"b":1}]}', '7', '{"__proto__":{"b":"x"}}']) {
      expect(parameterHeadersOf([{ name: 'X', path: ['a', 'b'] }], parseJson(args))).toEqual({})
    }
    expect(parameterHeadersOf([{ name: 'X', path: ['constructor', 'name'] }], {})).toEqual({})
    expect(parameterHeadersOf([{ name: 'X', path: ['a'] }], undefined)).toEqual({})
  })
})

const META = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}`
const PASSING: WiredOptions = { settings: { defaults: { cache: false }, tools: {} } }

/** A server of the SDK, which refuses calls without the headers that its tools declare; and a client in front of it. */
async function scene(options?: WiredOptions) {
  const heard: Array<{ method: string; headers: IncomingHttpHeaders }> = []
  let declared = 'Region'
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 's', version: '1' })
    const region = z.string().meta({ 'x-mcp-header': declared })
    const deep = z.object({ page: z.int().optional().meta({ 'x-mcp-header': 'Page' }) }).optional()
    const inputSchema = z.object({ region, deep })
    server.registerTool('good', { inputSchema, annotations: { readOnlyHint: true } }, async args => ({
      content: [{ type: 'text', text: JSON.stringify(args) }],
    }))
    const bad = z.object({ n: z.number().meta({ 'x-mcp-header': 'N' }) })
    server.registerTool('bad', { inputSchema: bad }, async () => ({ content: [] }))
    return server
  })
  const serve = toNodeHandler(handler)
  const http = createServer((request, response) => {
    heard.push({ method: `${request.headers['mcp-method']}`, headers: request.headers })
    void serve(request as never, response)
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  const url = new URL(`http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`)
  const wired = await Wired.open(() => {}, {
    channel: async () => new MirroringChannel(new HttpChannel({ url, headers: {} })),
    ...options,
  })
  onTestFinished(async () => {
    await wired.close()
    http.closeAllConnections()
    http.close()
  })
  // The SDK writes the id at the end.
  const ask = (id: string, method: string, params: string) => {
    wired.send(`{"jsonrpc":"2.0","id":"${id}","method":"${method}","params":{${params}${META}}}`)
    return wired.line(`"id":"${id}"`)
  }
  const call = (id: number, args: object, name = 'good') =>
    ask(`call-${id}`, 'tools/call', `"name":"${name}","arguments":${JSON.stringify(args)},`)
  const list = (id: string) => ask(id, 'tools/list', '')
  const calls = () => heard.filter(({ method }) => method === 'tools/call').map(({ headers }) => headers)
  const lists = () => heard.filter(({ method }) => method === 'tools/list').length
  const declare = (name: string) => {
    declared = name
  }
  return { wired, call, list, calls, lists, declare }
}

describe.each([
  ['that go through the cache', undefined],
  ['that pass by the cache', PASSING],
])('calls %s', (_, options) => {
  it('carry the headers of their tool, also where nobody has listed the tools', async () => {
    const { call, calls, lists } = await scene(options)
    expect(await call(1, { region: 'Zürich', deep: { page: 3 } })).toContain('Zürich')
    expect(calls()).toHaveLength(1)
    expect(calls()[0]).toMatchObject({
      'mcp-param-region': '=?base64?WsO8cmljaA==?=',
      'mcp-param-page': '3',
    })
    expect(await call(2, { region: 'eu' })).toContain('eu')
    expect(calls()[1]).toMatchObject({ 'mcp-param-region': 'eu' })
    expect(calls()[1]).not.toHaveProperty('mcp-param-page')
    expect(lists()).toBe(1)
  })

  it('carry the new headers where the tools have changed since they were listed', async () => {
    const { call, calls, declare, list } = await scene(options)
    await list('list')
    declare('Zone')
    expect(await call(1, { region: 'eu' })).toContain('"result"')
    expect(calls().map(headers => headers['mcp-param-zone'])).toEqual([undefined, 'eu'])
    expect(await call(2, { region: 'us' })).toContain('"result"')
    expect(calls()).toHaveLength(3)
  })
})

it('a tool whose headers are no good is not listed, is said once, and its calls are the server’s to judge', async () => {
  const { wired, call, list } = await scene()
  for (const id of ['a', 'b', 'c']) {
    const listed = await list(id)
    expect(listed).toContain('"name":"good"')
    expect(listed).not.toContain('"name":"bad"')
  }
  const said = wired.logged.filter(line => line.includes("'bad'"))
  expect(said).toEqual([
    "warn upstream_problem The tool 'bad' is left out: n: x-mcp-header is for strings, integers and booleans alone.",
  ])
  expect(await call(1, { n: 1 }, 'bad')).toContain('-32020')
})

it('a tool of a server that is no server of HTTP keeps what it declares', async () => {
  const tools = '[{"name":"odd","inputSchema":{"type":"object","properties":{"n":{"x-mcp-header":""}}}}]'
  const wired = await Wired.open((line, say) => {
    const id = /"id":("[^"]*"|\d+)/.exec(line)?.[1]
    if (id) say(`{"jsonrpc":"2.0","id":${id},"result":{"tools":${tools}}}`)
  }, {})
  onTestFinished(() => wired.close())
  expect(await wired.ask(1, 'tools/list', `{${META}}`)).toContain('"odd"')
})
