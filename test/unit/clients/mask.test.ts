// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of clients
import { describe, expect, it } from 'vitest'
import { masked } from '../../../src/clients/mask.ts'

const arg = (text: string, before?: string) =>
  (masked(before === undefined ? [text] : [before, text], 'args') as string[]).at(-1)

describe('what is shown of a configuration', () => {
  it.each([
    [
      'https://ada:s3cr3t@host/mcp?key=s3cr3t&page=s3cr3t#s3cr3t=s3cr3t',
      'https://•••@host/mcp?key=•••&page=•••#s3cr3t=•••',
    ],
    ['postgresql://ada:s3cr3t@localhost:5432/app', 'postgresql://•••@localhost:5432/app'],
    [
      'https://hooks.example/api/mcp/s/NjY2YTkzMWQtZjVjMC00MDk3LTk5/mcp',
      'https://hooks.example/api/mcp/s/•••/mcp',
    ],
    ['--api-key=s3cr3t', '--api-key=•••'],
    ['API_TOKEN=s3cr3t', 'API_TOKEN=•••'],
    ['apiToken=s3cr3t', 'apiToken=•••'],
    ['--dsn=jdbc:postgresql://ada:s3cr3t@host/db', '--dsn=•••'],
    ['{"githubToken": "s3cr3t", "pages": [1]}', '{"githubToken":"•••","pages":["•••"]}'],
    ['{not json s3cr3t', '•••'],
    ['ghp_16C7e42F292c6912E7710c838347Ae178B4a', '•••'],
    ['sk-proj-abcdefgh12345', '•••'],
    ['0123456789abcdef0123456789abcdef', '•••'],
    ['${TOK:-s3cr3t}', '${TOK:-•••}'],
    ['https://a.example/${TOK:-s3cr3t}/mcp', 'https://a.example/${TOK:-•••}/mcp'],
    ['--url=x/${env:TOK:-s3cr3t}', '--url=x/${env:TOK:-•••}'],
    ['Server=h;Password=s3cr3t', 'Server=•••;Password=•••'],
    ['--db=Server=h;Password=s3cr3t;', '--db=•••;Password=•••;'],
    ['-eDB=s3cr3t', '-eDB=•••'],
    ['-uada:s3cr3t', '-u•••'],
    ['-ps3cr3t', '-p•••'],
    [`'{"apiKey":"s3cr3t"}'`, '•••'],
    ['https://a.example/s/abcDEFsecretpath/mcp', 'https://a.example/s/•••/mcp'],
    ['https://a.example/s/abc123secret9/mcp', 'https://a.example/s/•••/mcp'],
  ])('%s is masked', (text, shown) => expect(arg(text)).toBe(shown))

  it.each([
    ['--token', 's3cr3t', '•••'],
    ['--header', 'Authorization: Bearer s3cr3t', 'Authorization: •••'],
    ['-e', 'KEY=s3cr3t', 'KEY=•••'],
    ['--pat', 's3cr3t', '•••'],
    ['-u', 'ada:s3cr3t', 'ada:•••'],
    ['--db-password', 's3cr3t', '•••'],
    ['--pass', 's3cr3t', '•••'],
    ['--pwd', 's3cr3t', '•••'],
    ['--dsn', 'Server=h;Password=s3cr3t', 'Server=•••'],
    ['--connection-string', 's3cr3t', '•••'],
    ['--config', '{"apiKey":"s3cr3t"}', '{"apiKey":"•••"}'],
  ])('what comes after %s is masked', (before, text, shown) => expect(arg(text, before)).toBe(shown))

  it.each([
    '-y',
    '@modelcontextprotocol/server-filesystem',
    '/home/ada/projects/2024/notes.md',
    'https://example.com/mcp',
    '--port=8080',
    'mode=fast',
    '-p8080',
    '--path=x/${env:HOME}',
    'https://mcp.example.com/getLibraryDocs/server-everything/v2',
    '${input:api-key}',
    '${env:TOKEN}',
    'mcp-server-for-postgres-databases',
    '${TOKEN}',
    'ghcr.io/github/github-mcp-server:v0.12.1',
  ])('%s is not', text => expect(arg(text)).toBe(text))

  it('masks environments and headers by key, wherever they stand, and shows a reference to a variable', () => {
    expect(
      masked({
        command: { env: { A: 's' } },
        headers: { B: 's', C: 'Bearer ${TOKEN}', D: '${T:-s}', E: 'Bearer ${T:-s}', F: '${T-s}' },
        environment: { D: 1 },
        api_key: 's',
      }),
    ).toEqual({
      command: { env: { A: '•••' } },
      headers: { B: '•••', C: 'Bearer ${TOKEN}', D: '•••', E: '•••', F: '•••' },
      environment: { D: '•••' },
      api_key: '•••',
    })
    expect(masked({ bearer_token_env_var: 'TOKEN', args: ['--header-env', 'A: MCP_HEADER_A'] })).toEqual({
      bearer_token_env_var: 'TOKEN',
      args: ['--header-env', 'A: MCP_HEADER_A'],
    })
  })
})
