// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of clients
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Backups, type Undone } from '../../../../src/cli/init/backups.ts'
import type { FilePlan, FileProblem } from '../../../../src/cli/init/file-plan.ts'
import { type Choice, planFile } from '../../../../src/cli/init/plan.ts'
import { planAsData, shownPlan } from '../../../../src/cli/init/show.ts'
import type { StdioTransport } from '../../../../src/clients/configured-server.ts'
import { clientLocations } from '../../../../src/clients/locations.ts'
import { ownWrapperIn } from '../../../../src/clients/own-wrapper.ts'
import { parseClientConfig } from '../../../../src/clients/parse-config.ts'
import { CLIENT_FILES, type ClientFile } from './client-files.ts'

let home: string
let folder: string
let backups: Backups
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'init-')))
  folder = join(home, 'project')
  mkdirSync(folder)
  backups = new Backups(backupFolder())
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const backupFolder = () => join(home, 'state', 'init')
const LAUNCHER = { command: 'npx', args: ['-y', 'mcp-refcache'] }

const choice = (more: Partial<Choice> = {}): Choice => ({
  only: [],
  except: [],
  folder,
  launcherFor: () => LAUNCHER,
  ...more,
})

function put(file: Pick<ClientFile, 'scope' | 'path' | 'text'>, mode = 0o644): string {
  const path = join(file.scope === 'user' ? home : folder, file.path)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, file.text)
  chmodSync(path, mode)
  return path
}

function plans(more: Partial<Choice> = {}): (FilePlan | FileProblem)[] {
  const locations = clientLocations({ platform: 'linux', env: {}, home, folder })
  return locations.flatMap(location => planFile(location, choice(more)) ?? [])
}

function onlyPlan(more: Partial<Choice> = {}): FilePlan {
  const [plan, ...rest] = plans(more)
  if (!plan || !('newText' in plan) || rest.length > 0) throw new Error(JSON.stringify([plan, ...rest]))
  return plan
}

const fileOf = (client: string) => CLIENT_FILES.find(file => file.client === client)!
const serversIn = (path: string) =>
  Object.fromEntries(
    parseClientConfig(readFileSync(path, 'utf8'), path, folder).servers.map(({ name, transport }) => [
      name,
      transport,
    ]),
  )

describe.each(CLIENT_FILES)('the file of $client', file => {
  it('is found, shown without a secret, changed in place with all else as it was, and put back to the byte', () => {
    const path = put(file, 0o640)
    const plan = onlyPlan()
    expect(plan.location).toMatchObject({ client: file.client, scope: file.scope, path })
    for (const secret of file.secrets) {
      expect(shownPlan(plan) + JSON.stringify(planAsData(plan))).not.toContain(secret)
    }
    backups.apply(plan)
    const written = readFileSync(path, 'utf8')
    for (const text of file.kept) expect(written).toContain(text)
    expect(written.includes('\r\n')).toBe(file.text.includes('\r\n'))
    if (file.text.includes('\r\n')) expect(written).not.toMatch(/[^\r]\n/)
    expect(statSync(path).mode & 0o777).toBe(0o640)
    const [kept] = readdirSync(backupFolder()).filter(name => !/^\d+-\w+\.json$/.test(name))
    expect(readFileSync(join(backupFolder(), kept!), 'utf8')).toBe(file.text)
    for (const name of readdirSync(backupFolder())) {
      expect(statSync(join(backupFolder(), name)).mode & 0o777).toBe(0o600)
    }
    expect(readdirSync(dirname(path)).filter(name => name.endsWith('.tmp'))).toEqual([])
    expect(backups.undo()).toEqual([{ path, kind: 'restored' }])
    expect(readFileSync(path, 'utf8')).toBe(file.text)
    expect(readdirSync(backupFolder())).toEqual([])
  })

  it('is as it should be after the first run: a second one changes nothing', () => {
    const path = put(file)
    backups.apply(onlyPlan())
    const written = readFileSync(path, 'utf8')
    const { text, newText } = onlyPlan()
    expect(newText).toBe(text)
    expect(written).toBe(text)
  })

  it('starts the wrapper, which starts what the entry started', () => {
    const path = put(file)
    const before = serversIn(path)
    backups.apply(onlyPlan({ only: Object.keys(before).filter(name => name !== 'from-extension') }))
    for (const [name, transport] of Object.entries(serversIn(path))) {
      const was = before[name]
      if (was?.kind === 'unusable') {
        expect(transport).toEqual(was)
        continue
      }
      expect(transport).toMatchObject({ kind: 'stdio', command: LAUNCHER.command })
      expect(ownWrapperIn(transport as StdioTransport)).toEqual({ kind: 'one', transport: was })
    }
  })
})

describe('an entry', () => {
  const planOf = (entry: object, more: Partial<Choice> = {}) => {
    put({ scope: 'project', path: '.mcp.json', text: JSON.stringify({ mcpServers: { one: entry } }) })
    return onlyPlan(more).servers[0]!
  }

  it('of a server elsewhere without a credential may sign its user in: it is changed only by name', () => {
    const entry = { type: 'http', url: 'https://mcp.example/mcp' }
    expect(planOf(entry).stays).toMatchObject({
      kind: 'sign-in',
      message: expect.stringContaining('sign you in'),
    })
    expect(planOf(entry, { only: ['one'] }).after).toMatchObject({ type: 'stdio', command: 'npx' })
    expect(planOf({ ...entry, headers: { A: 'b' }, oauth: {} }).stays).toMatchObject({ kind: 'sign-in' })
    expect(planOf({ ...entry, url: 'http://127.0.0.1:9/mcp' }).after).toBeDefined()
    expect(planOf({ ...entry, url: 'http://localhost.evil.example/mcp' }).stays).toBeDefined()
  })

  it('keeps headers out of arguments, and placeholders for the client to fill', () => {
    const headers = { Authorization: 'Bearer ${TOKEN}', 'X-Key': 'plain' }
    expect(planOf({ url: 'https://a.example/mcp', headers, timeout: 5 }).after).toEqual({
      timeout: 5,
      command: 'npx',
      args: [
        '-y',
        'mcp-refcache',
        'wrap',
        '--url',
        'https://a.example/mcp',
        '--header-env',
        'Authorization: MCP_HEADER_AUTHORIZATION',
        '--header-env',
        'X-Key: MCP_HEADER_X_KEY',
      ],
      env: { MCP_HEADER_AUTHORIZATION: 'Bearer ${TOKEN}', MCP_HEADER_X_KEY: 'plain' },
    })
  })

  it.each(['https://a.example/mcp?api_key=s3cr3t', 'https://a.example/s/abcDEFsecretpath/mcp'])(
    'keeps a URL with a secret out of arguments: %s',
    url => {
      const after = planOf({ url, headers: { A: 'b' } }).after as {
        args: string[]
        env: Record<string, string>
      }
      expect(after.args).toEqual(expect.arrayContaining(['--url-env', 'MCP_URL']))
      expect(after.args.join(' ')).not.toContain('a.example')
      expect(after.env).toMatchObject({ MCP_URL: url })
      const transport = { kind: 'stdio', command: 'npx', args: after.args, env: after.env } as const
      expect(ownWrapperIn(transport)).toMatchObject({ transport: { url, headers: { A: 'b' } } })
    },
  )

  it('of Codex passes on the variable that holds its token', () => {
    put(fileOf('codex'))
    const after = onlyPlan().servers.find(({ name }) => name === 'my api')?.after
    expect(after).toMatchObject({
      args: expect.arrayContaining(['Authorization: Bearer API_TOKEN', 'X-Key: MCP_HEADER_X_KEY']),
      env_vars: ['API_TOKEN'],
      env: { MCP_HEADER_X_KEY: 'toml-header-s3cr3t' },
    })
  })

  it.each<[object, RegExp]>([
    [{ url: 'https://ada:pass@a.example/mcp' }, /password/],
    [{ type: 'sse', url: 'https://a.example/sse', headers: { A: 'b' } }, /old HTTP\+SSE/],
    [{ type: 'stdio' }, /neither a command nor a url/],
  ])('that cannot be wrapped stays: %j', (entry, message) => {
    expect(planOf(entry).stays).toMatchObject({ kind: 'cannot', message: expect.stringMatching(message) })
  })

  it('that is odd stays, and the others beside it are changed', () => {
    const text =
      '{"mcpServers":{"a":{"command":"x"},"todo":{},"n":null,"__proto__":{"command":"y"},"_why":"z"}}'
    const path = put({ scope: 'user', path: '.cursor/mcp.json', text })
    const plan = onlyPlan()
    expect(plan.servers.map(({ name, after }) => [name, after !== undefined])).toEqual([
      ['a', true],
      ['todo', false],
      ['n', false],
      ['__proto__', true],
    ])
    backups.apply(plan)
    const written = readFileSync(path, 'utf8')
    expect(written).toContain('"todo":{},"n":null,"__proto__":{"command":"npx"')
    writeFileSync(path, written.replace('"z"', '"later"'))
    expect(backups.undo()).toMatchObject([{ kind: 'entries-restored', kept: [] }])
    expect(readFileSync(path, 'utf8')).toBe(text.replace('"z"', '"later"'))
  })

  it('named __proto__ moves behind one wrapper as others do', () => {
    const text = '{"mcpServers":{"__proto__":{"command":"y"}}}'
    put({ scope: 'user', path: '.cursor/mcp.json', text })
    const plan = onlyPlan({ serversFileFor: () => join(home, 'one.json') })
    expect(plan.companion?.text).toContain('"__proto__"')
    expect(Object.keys(JSON.parse(plan.newText).mcpServers)).toEqual(['refcache'])
  })

  it('can be left out by name', () => {
    put(fileOf('claude-desktop'))
    expect(onlyPlan({ except: ['github'] }).servers.map(({ name }) => name)).toEqual(['filesystem'])
    expect(onlyPlan({ only: ['github'] }).servers.map(({ name }) => name)).toEqual(['github'])
  })
})

describe('a file that cannot be changed is left as it is, and says why', () => {
  const problem = () => (plans()[0] as FileProblem).problem

  it.each<[string, string, RegExp]>([
    ['is no JSON', '{"mcpServers": {"a": {"command": "x-s3cr3t"', /not valid JSON.*line 1/],
    ['is no object', '[]', /not a JSON object/],
    ['is not UTF-8', '\u0000', /./],
  ])('%s', (_, text, message) => {
    const path = put({ scope: 'user', path: '.cursor/mcp.json', text })
    if (text === '\u0000') writeFileSync(path, Buffer.from([0x7b, 0xff, 0xfe, 0x7d]))
    expect(problem()).toMatch(message)
    expect(problem()).not.toContain('s3cr3t')
  })

  it('is not valid TOML', () => {
    put({ scope: 'user', path: '.codex/config.toml', text: 'a = \n' })
    expect(problem()).toMatch(/not valid TOML/)
  })

  it('is read-only', () => {
    put(fileOf('windsurf'), 0o444)
    expect(problem()).toMatch(/read-only.*init --print windsurf/)
    expect(onlyPlan({ isShownOnly: true }).servers[0]?.after).toBeDefined()
    chmodSync(join(home, fileOf('windsurf').path), 0o644)
    backups.apply(onlyPlan())
    chmodSync(join(home, fileOf('windsurf').path), 0o444)
    expect(onlyPlan().servers[0]?.stays).toMatchObject({ kind: 'done' })
  })

  it('is a folder, or a link to nothing', () => {
    mkdirSync(join(home, '.cursor', 'mcp.json'), { recursive: true })
    expect(problem()).toMatch(/is not a file/)
    rmSync(join(home, '.cursor'), { recursive: true })
    mkdirSync(join(home, '.cursor'))
    symlinkSync(join(home, 'nowhere'), join(home, '.cursor', 'mcp.json'))
    expect(problem()).toMatch(/link to a file that is not there/)
  })

  it.each(['', '{}', '{"mcpServers": {}}', '{"theme": "dark"}'])('has no server: %j is passed over', text => {
    put({ scope: 'user', path: '.config/zed/settings.json', text })
    const [plan] = plans()
    expect(plan === undefined || ('newText' in plan && plan.newText === plan.text)).toBe(true)
  })
})

describe('all servers of a client behind one wrapper', () => {
  const file = (name: string) => join(home, 'servers', name)
  const one = (name: string, more: Partial<Choice> = {}) => ({ ...more, serversFileFor: () => file(name) })

  it.each([
    ['claude-desktop', 'a.json'],
    ['cursor', 'a.json'],
    ['codex', 'a.toml'],
    ['zed', 'a.json'],
    ['windsurf', 'a.json'],
  ])('of %s: they move to a file for this user alone, and one entry starts them', (client, name) => {
    const path = put(fileOf(client))
    const before = serversIn(path)
    const plan = onlyPlan(one(name))
    for (const secret of fileOf(client).secrets) expect(shownPlan(plan)).not.toContain(secret)
    expect(shownPlan(plan)).toContain(`moves to ${file(name)}`)
    backups.apply(plan)
    const { refcache, ...stayed } = serversIn(path)
    expect(refcache).toMatchObject({
      command: 'npx',
      args: ['-y', 'mcp-refcache', 'wrap', '--servers', file(name)],
    })
    expect(statSync(file(name)).mode & 0o777).toBe(0o600)
    expect({ ...serversIn(file(name)), ...stayed }).toEqual(before)
    for (const text of fileOf(client).kept.filter(text => /theme|model|vim|tui|global/.test(text))) {
      expect(readFileSync(path, 'utf8')).toContain(text)
    }
    expect(onlyPlan(one(name)).newText).toBe(readFileSync(path, 'utf8'))
    expect(backups.undo()).toEqual([{ path, kind: 'restored' }])
    expect(readFileSync(path, 'utf8')).toBe(fileOf(client).text)
    expect(readdirSync(join(home, 'servers'))).toEqual([])
  })

  it('takes in a server that came later, also one that was behind a wrapper of its own, and goes back a run at a time', () => {
    const path = put(fileOf('windsurf'))
    backups.apply(onlyPlan(one('w.json')))
    const between = [path, file('w.json')].map(name => readFileSync(name, 'utf8'))
    const config = JSON.parse(between[0]!)
    const alone = { command: 'mcp-refcache', args: ['wrap', '--', 'late'] }
    const grown = JSON.stringify({ mcpServers: { ...config.mcpServers, late: alone } })
    writeFileSync(path, grown)
    backups.apply(onlyPlan(one('w.json')))
    expect(Object.keys(serversIn(path))).toEqual(['refcache'])
    expect(Object.keys(serversIn(file('w.json')))).toEqual(['remote', 'late'])
    backups.undo()
    expect([path, file('w.json')].map(name => readFileSync(name, 'utf8'))).toEqual([grown, between[1]])
  })

  it('puts back entries where the client went on writing, and takes its own away', () => {
    const path = put(fileOf('claude-code'))
    backups.apply(onlyPlan(one('c.json')))
    writeFileSync(path, readFileSync(path, 'utf8').replace('412', '413'))
    expect(backups.undo()).toMatchObject([{ kind: 'entries-restored', kept: [] }])
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
      ...JSON.parse(fileOf('claude-code').text),
      numStartups: 413,
    })
  })

  it('leaves what only the client can fill, the servers of projects, and a name that is taken', () => {
    const entries = { asks: { command: 'x', env: { K: '${input:k}' } }, plain: { command: 'y' } }
    const text = JSON.stringify({ servers: entries })
    const path = put({ scope: 'user', path: '.config/Code/User/mcp.json', text })
    backups.apply(onlyPlan(one('v.json')))
    expect(Object.keys(serversIn(path))).toEqual(['asks', 'refcache'])
    expect(Object.keys(serversIn(file('v.json')))).toEqual(['plain'])
    writeFileSync(
      path,
      JSON.stringify({ servers: { refcache: { command: 'mine' }, plain: { command: 'y' } } }),
    )
    rmSync(file('v.json'))
    expect(plans(one('v.json'))).toMatchObject([
      { problem: expect.stringContaining("server 'refcache' already") },
    ])
  })
})

describe('comments', () => {
  const comments = (text: string) => text.match(/\/\/ c\d+|\/\* c\d+ \*\/|# c\d+/g)?.sort() ?? []
  const JSON_TEXT = `{ // c0
  "mcpServers": {
    // c1
    "a": { // c2
      "command": "npx", // c3
      "args": [ // c4
        "-y", // c5
        /* c6 */ "server" // c7
      ], // c8
      "env": { "K": "v" } // c9
    },
    /* c10 */ "b": {
      // c11
      "url": "http://localhost:1/mcp", // c12
      // c13
      "headers": { // c14
        "X-K": "v" /* c15 */
      } // c16
      // c17
    }, // c18
    "c": { "command": "x", "args": [/* c19 */ "one", "two"] /* c20 */ } // c21
  } // c22
}
`
  const TOML_TEXT = `# c0
[mcp_servers.a] # c1
command = "npx" # c2
args = [ # c3
  "-y", # c4
] # c5
# c6
[mcp_servers.b]
# c7
url = "http://localhost:1/mcp" # c8
# c9
tool_timeout_sec = 9 # c10
`

  it.each([
    ['.cursor/mcp.json', JSON_TEXT],
    ['.cursor/mcp.json', JSON_TEXT.replaceAll('\n', '\r\n')],
    ['.codex/config.toml', TOML_TEXT],
  ])('of %s stay', (path, text) => {
    put({ scope: 'user', path, text })
    const { newText, servers } = onlyPlan()
    expect(servers.every(({ after }) => after !== undefined)).toBe(true)
    expect(comments(newText)).toEqual(comments(text))
  })

  it.each([
    ['.cursor/mcp.json', JSON_TEXT, 'one.json'],
    ['.codex/config.toml', TOML_TEXT, 'one.toml'],
  ])('of %s stay, or move with their server', (path, text, name) => {
    put({ scope: 'user', path, text })
    const { newText, companion } = onlyPlan({ serversFileFor: () => join(home, name) })
    expect(comments(newText + companion!.text)).toEqual(comments(text))
  })

  it('come back where the servers alone are put back', () => {
    const path = put({ scope: 'user', path: '.cursor/mcp.json', text: JSON_TEXT })
    backups.apply(onlyPlan())
    writeFileSync(path, readFileSync(path, 'utf8').replace('} // c22', '}, // c22\n  "later": 1'))
    expect(backups.undo()).toMatchObject([{ kind: 'entries-restored', kept: [] }])
    expect(new Set(comments(readFileSync(path, 'utf8')))).toEqual(new Set(comments(JSON_TEXT)))
  })

  it('that stand beside arguments leave the list as it is written', () => {
    put({ scope: 'user', path: '.cursor/mcp.json', text: JSON_TEXT })
    expect(onlyPlan().newText).toContain(`"wrap",
        "--",
        "npx",
        "-y", // c5
        /* c6 */ "server" // c7
      ], // c8`)
  })
})

describe('between the plan and the writing', () => {
  it('a file that somebody else changed is not written', () => {
    const path = put(fileOf('windsurf'))
    const plan = onlyPlan()
    const theirs = fileOf('windsurf').text.replace('drop', 'other')
    writeFileSync(path, theirs)
    expect(() => backups.apply(plan)).toThrow(/changed by somebody else/)
    expect(readFileSync(path, 'utf8')).toBe(theirs)
    expect(readdirSync(backupFolder())).toEqual([])
    expect(readdirSync(dirname(path))).toEqual(['mcp_config.json'])
  })

  it.skipIf(process.getuid?.() !== 0)('the file keeps its owner and its group', () => {
    const path = put(fileOf('windsurf'), 0o640)
    chownSync(path, process.getuid!(), 12)
    backups.apply(onlyPlan())
    expect(statSync(path)).toMatchObject({ uid: process.getuid!(), gid: 12 })
    expect(statSync(path).mode & 0o777).toBe(0o640)
  })

  it('a link stays a link: the file behind it is changed', () => {
    const real = put({ ...fileOf('windsurf'), path: 'dotfiles/mcp.json' })
    const link = join(home, '.cursor', 'mcp.json')
    mkdirSync(dirname(link))
    symlinkSync(real, link)
    const plan = onlyPlan()
    expect(shownPlan(plan)).toContain(`a link to ${real}`)
    backups.apply(plan)
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(readFileSync(real, 'utf8')).toBe(plan.newText)
    expect(backups.undo()).toEqual([{ path: real, kind: 'restored' }])
  })
})

describe('undo', () => {
  it('puts back the entries where the client went on writing its file, and keeps what it wrote', () => {
    const path = put(fileOf('claude-code'))
    backups.apply(onlyPlan())
    writeFileSync(path, readFileSync(path, 'utf8').replace('"numStartups": 412', '"numStartups": 413'))
    expect(backups.undo()).toEqual([{ path, kind: 'entries-restored', kept: [] }])
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
      ...JSON.parse(fileOf('claude-code').text),
      numStartups: 413,
    })
  })

  it('overwrites no entry that was changed since, and says where the file as it was is', () => {
    const path = put(fileOf('windsurf'))
    backups.apply(onlyPlan())
    const changed = readFileSync(path, 'utf8').replace('drop', 'mine')
    writeFileSync(path, changed)
    const [undone] = backups.undo()
    expect(undone).toMatchObject({ path, kind: 'refused', reason: expect.stringContaining(backupFolder()) })
    expect(readFileSync(path, 'utf8')).toBe(changed)
    const [original] = readdirSync(backupFolder())
    expect(readFileSync(join(backupFolder(), original!), 'utf8')).toBe(fileOf('windsurf').text)
    expect(backups.undo()).toEqual([])
  })

  it('says where the file as it was is when the file is gone', () => {
    const path = put(fileOf('windsurf'))
    backups.apply(onlyPlan())
    rmSync(path)
    expect(backups.undo()).toMatchObject([{ kind: 'refused', reason: expect.stringContaining('gone') }])
  })

  it('keeps the file as it was, and names it, while an entry that was changed since stays', () => {
    const path = put(fileOf('claude-desktop'))
    const plan = onlyPlan({ serversFileFor: () => join(home, 'one.json') })
    backups.apply(plan)
    writeFileSync(path, readFileSync(path, 'utf8').replace('"--servers"', '"--lazy", "--servers"'))
    const undone = backups.undo()[0] as Undone & { kind: 'entries-restored'; backup: string }
    expect(undone).toMatchObject({ path, kind: 'entries-restored', kept: ['refcache'] })
    expect(readFileSync(undone.backup, 'utf8')).toBe(fileOf('claude-desktop').text)
    // The entry that stays starts from it.
    expect(readFileSync(join(home, 'one.json'), 'utf8')).toBe(plan.companion?.text)
    expect(backups.undo()).toEqual([])
  })

  it('takes back the last run, with all its files, and no run before it', () => {
    const [cursor, windsurf, zed] = (['cursor', 'windsurf', 'zed'] as const).map(name => put(fileOf(name)))
    const planOf = (path: string) => plans().find(plan => 'path' in plan && plan.path === path) as FilePlan
    const { newText } = planOf(cursor!)
    backups.apply(planOf(cursor!))
    const run = backups.newRun()
    backups.apply(planOf(windsurf!), run)
    backups.apply(planOf(zed!), run)
    expect(backups.undo().map(({ path }) => path)).toEqual([windsurf, zed])
    expect(readFileSync(cursor!, 'utf8')).toBe(newText)
    expect(backups.undo()).toEqual([{ path: cursor, kind: 'restored' }])
  })

  it.each(['{', '{}', 'null'])('puts a damaged record aside, and takes back the rest: %s', text => {
    const path = put(fileOf('windsurf'))
    backups.apply(onlyPlan())
    writeFileSync(join(backupFolder(), '999999999999999-abcd.json'), text)
    expect(backups.undo()).toMatchObject([
      { kind: 'refused', reason: expect.stringContaining('999999999999999-abcd.json.damaged') },
      { path, kind: 'restored' },
    ])
    expect(backups.undo()).toEqual([])
  })

  it('goes back one run at a time', () => {
    const path = put(fileOf('claude-desktop'))
    backups.apply(onlyPlan({ only: ['github'] }))
    const between = readFileSync(path, 'utf8')
    backups.apply(onlyPlan())
    backups.undo()
    expect(readFileSync(path, 'utf8')).toBe(between)
    backups.undo()
    expect(readFileSync(path, 'utf8')).toBe(fileOf('claude-desktop').text)
    expect(backups.undo()).toEqual([])
  })
})

describe('where clients keep their files', () => {
  const paths = (platform: NodeJS.Platform, home: string, env: Record<string, string> = {}) =>
    clientLocations({ platform, env, home, folder: platform === 'win32' ? 'C:\\work' : '/work' }).map(
      ({ path }) => path,
    )

  it('on macOS, Windows and Linux', () => {
    expect(paths('darwin', '/Users/ada')).toEqual(
      expect.arrayContaining([
        '/Users/ada/Library/Application Support/Claude/claude_desktop_config.json',
        '/Users/ada/Library/Application Support/Code/User/mcp.json',
        '/Users/ada/.config/zed/settings.json',
        '/work/.cursor/mcp.json',
      ]),
    )
    expect(paths('win32', 'C:\\Users\\ada', { APPDATA: 'C:\\Users\\ada\\AppData\\Roaming' })).toEqual(
      expect.arrayContaining([
        'C:\\Users\\ada\\AppData\\Roaming\\Claude\\claude_desktop_config.json',
        'C:\\Users\\ada\\.codex\\config.toml',
        'C:\\Users\\ada\\AppData\\Roaming\\Zed\\settings.json',
        'C:\\work\\.vscode\\mcp.json',
      ]),
    )
    expect(paths('linux', '/home/ada', { CODEX_HOME: '/codex', XDG_CONFIG_HOME: '/xdg' })).toEqual(
      expect.arrayContaining(['/codex/config.toml', '/xdg/zed/settings.json', '/home/ada/.claude.json']),
    )
  })
})
