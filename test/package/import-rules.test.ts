import { readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { describe, expect, it } from 'vitest'
import {
  type Import,
  importsOf,
  REPOSITORY,
  resolveWithin,
  sourceFiles,
  withoutComments,
} from './source-files.ts'

/**
 * What may import what. Each area of the source says which modules, Node built-ins and packages it may reach; all
 * else is refused. The idea behind it: whatever decides (core, access, preview, flow) knows nothing of what it is
 * decided for (stores, executors, protocols), so each of these can be read, tested and replaced alone.
 */
interface Area {
  readonly owns: RegExp
  /** Modules of this package. `types`: by `import type` only, so that nothing of them runs here. */
  readonly modules: ReadonlyArray<RegExp | { readonly types: RegExp }>
  readonly builtins: ReadonlyArray<string> | 'all'
  readonly packages: ReadonlyArray<string>
  readonly why: string
}

/** The public API in terms of source: the facade, its options, and the vocabulary that index.ts exports. */
const PUBLIC_API = [
  /^ref-cache\.ts$/,
  // What is for adapters alone stands apart.
  /^ref-cache-adapters\.ts$/,
  /^core\//,
  /^access\//,
  { types: /^ref-cache-options\.ts$/ },
  { types: /^flow\// },
  { types: /^preview\// },
  { types: /^stores\/store\.ts$/ },
  { types: /^execution\/(executor|dispatcher)\.ts$/ },
]

/** What publishes to whoever listens. */
const CHANNELS = [/^telemetry\/channels\.ts$/, { types: /^telemetry\/messages\.ts$/ }]

const MCP_SDK = ['@modelcontextprotocol/server', '@modelcontextprotocol/client', '@modelcontextprotocol/node']

const AREAS: Record<string, Area> = {
  core: {
    owns: /^core\//,
    modules: [/^core\//, /^access\/policy\.ts$/, { types: /^access\/(actor|namespace|decision)\.ts$/ }],
    builtins: ['node:crypto', 'node:util', 'node:zlib'],
    packages: [],
    why: 'core is pure: no I/O, no SDK, no store. A tool carries its policy and namespace, and its task an actor, so it knows those three.',
  },
  access: {
    owns: /^access\//,
    modules: [/^access\//, /^core\/errors\.ts$/, /^core\/duration\.ts$/],
    builtins: [],
    packages: [],
    why: 'access decides from what it is given alone: entries come to it as plain fields.',
  },
  preview: {
    owns: /^preview\//,
    modules: [/^preview\//, /^tokens\//, /^core\//, /^values\//],
    builtins: ['node:crypto', 'node:util', 'node:zlib'],
    packages: [],
    why: 'preview turns a value and a budget into a smaller value. It knows no entries, actors or stores.',
  },
  tokens: {
    owns: /^tokens\//,
    modules: [/^tokens\//, /^core\/steps\.ts$/],
    builtins: ['node:zlib'],
    packages: [],
    why: 'tokens counts: text in, a number out. Its table is a module, so that bundlers take it along and nothing is read.',
  },
  values: {
    owns: /^values\//,
    modules: [/^values\//, /^core\//],
    builtins: [],
    packages: ['csv-parse', 'csv-stringify', 're2js'],
    why: 'values says what a stored value means: what is shown of it, and what it becomes in an argument. It knows no store.',
  },
  flow: {
    owns: /^flow\//,
    modules: [
      /^flow\//,
      /^core\//,
      /^access\//,
      /^preview\//,
      /^values\//,
      { types: /^stores\/store\.ts$/ },
      /^stores\/store-in-front\.ts$/,
      { types: /^query\/sql\.ts$/ },
      { types: /^execution\/(executor|dispatcher)\.ts$/ },
      ...CHANNELS,
    ],
    builtins: [],
    packages: [],
    why: 'flow works on any store, executor and dispatcher: it knows their contracts, never an implementation.',
  },
  query: {
    owns: /^query\//,
    modules: [/^query\//, /^core\//, /^values\//],
    builtins: 'all',
    packages: ['@photostructure/sqlite', 're2js'],
    why: 'query asks values that it is given as text: it knows what a value means, and neither stores nor access.',
  },
  export: {
    owns: /^export\//,
    modules: [/^export\//, /^core\//],
    builtins: 'all',
    packages: [],
    why: 'export writes files that it is given in pieces: it knows a folder, and nothing of values.',
  },
  stores: {
    owns: /^stores\//,
    modules: [/^stores\//, /^core\//, ...CHANNELS],
    builtins: 'all',
    packages: ['@photostructure/sqlite', '@redis/client'],
    why: 'stores carry, policy decides above them: they know core and their own contract.',
  },
  execution: {
    owns: /^execution\//,
    modules: [
      /^execution\//,
      /^core\//,
      /^values\/segments\//,
      /^values\/check-result\.ts$/,
      { types: /^access\/actor\.ts$/ },
      ...CHANNELS,
    ],
    builtins: 'all',
    packages: ['bullmq', 'piscina', '@redis/client'],
    why: 'execution runs what it is given, and encodes what comes of it: it knows core, how values are written, and its own contract.',
  },
  facade: {
    owns: /^ref-cache(-[a-z-]+)?\.ts$/,
    modules: [
      /^ref-cache/,
      /^core\//,
      /^access\//,
      /^flow\//,
      { types: /^preview\// },
      { types: /^stores\/store\.ts$/ },
      { types: /^execution\/executor\.ts$/ },
      /^stores\/(memory|observed)\.ts$/,
      /^query\/open\.ts$/,
      { types: /^values\/(projection|counted-tables|edit\/edits)\.ts$/ },
      /^values\/result-projections\.ts$/,
      /^execution\/(dispatcher|in-process)\.ts$/,
      ...CHANNELS,
    ],
    builtins: ['node:crypto', 'node:os'],
    packages: [],
    why: 'the facade puts the flow together with the two defaults that need no dependency, and with no other.',
  },
  index: {
    owns: /^index\.ts$/,
    modules: [/^(ref-cache|core|access|flow|preview|stores|execution|values)/],
    builtins: [],
    packages: [],
    why: 'index.ts names public exports. What needs a peer has an entry point of its own.',
  },
  agent: {
    owns: /^agent\//,
    modules: [
      /^agent\//,
      /^values\//,
      /^preview\/dense\.ts$/,
      /^tokens\/tokenizer\.ts$/,
      ...CHANNELS,
      ...PUBLIC_API,
    ],
    builtins: ['node:crypto'],
    packages: ['zod'],
    why: 'agent is what an agent meets, whatever SDK carries it: it knows the public API and no SDK.',
  },
  mcp: {
    owns: /^mcp\//,
    modules: [/^mcp\//, /^agent\//, /^export\//, ...CHANNELS, ...PUBLIC_API],
    builtins: 'all',
    packages: ['zod', ...MCP_SDK],
    why: 'mcp carries what agents meet on the official SDK; the flow stays behind the facade.',
  },
  fastmcp: {
    owns: /^fastmcp\//,
    modules: [/^fastmcp\//, /^agent\//, /^export\//, ...CHANNELS, ...PUBLIC_API],
    builtins: 'all',
    packages: ['zod', 'fastmcp'],
    why: 'fastmcp carries what agents meet on fastmcp: it shares agent with mcp, not the SDK.',
  },
  card: {
    owns: /^card\//,
    // How a browser reads large numbers.
    modules: [/^card\//, /^ui\/page\/exact\.ts$/],
    builtins: [],
    packages: ['preact', 'htm', '@modelcontextprotocol/ext-apps'],
    why: 'card runs in a frame of the client: it knows what answers look like on the wire, and nothing that makes them.',
  },
  clients: {
    owns: /^clients\//,
    modules: [/^clients\//, /^core\//],
    builtins: 'all',
    packages: ['jsonc-parser', '@decimalturn/toml-patch'],
    why: 'clients knows the files in which clients keep their servers: it starts none of them.',
  },
  ai: {
    owns: /^ai\//,
    modules: [/^ai\//, /^agent\//, /^export\//, /^values\/returned-result\.ts$/, ...PUBLIC_API],
    builtins: [],
    packages: ['ai'],
    why: 'ai carries what agents meet into programs on the AI SDK; what programs of other SDKs share is in agent/program.',
  },
  'openai-agents': {
    owns: /^openai-agents\//,
    modules: [/^openai-agents\//, /^agent\//, /^export\//, ...PUBLIC_API],
    builtins: [],
    packages: [],
    why: 'openai-agents wraps tools that it is given: it knows the shape of a function tool, and needs nothing of the SDK.',
  },
  langchain: {
    owns: /^langchain\//,
    modules: [/^langchain\//, /^agent\//, /^export\//, ...PUBLIC_API],
    builtins: [],
    packages: ['zod', '@langchain/core'],
    why: 'langchain carries what agents meet into tools of LangChain; what programs of other SDKs share is in agent/program.',
  },
  wrap: {
    owns: /^wrap\//,
    modules: [
      /^wrap\//,
      /^agent\//,
      /^export\//,
      /^values\//,
      { types: /^clients\/configured-server\.ts$/ },
      ...CHANNELS,
      ...PUBLIC_API,
    ],
    builtins: 'all',
    packages: ['zod', 'cross-spawn', ...MCP_SDK],
    why: 'wrap is a user of the public API that stands between a client and a server.',
  },
  cli: {
    owns: /^cli\//,
    modules: [
      /^cli\//,
      /^wrap\//,
      /^clients\//,
      /^inspect\//,
      /^audit\//,
      /^ui\/server\//,
      /^preview\/records\.ts$/,
      /^agent\/(profiles|savings-text|wire|wire-admin)\.ts$/,
      /^execution\/bullmq\/index\.ts$/,
      /^telemetry\/otel\/instrument\.ts$/,
      { types: /^execution\/dispatcher\.ts$/ },
      /^values\/export\/formats\.ts$/,
      /^stores\/(memory|sqlite|sqlite-(driver|errors|file|place)|redis|redis-(address|client|errors)|encrypted|private-file)\.ts$/,
      /^tokens\/tokenizer\.ts$/,
      ...PUBLIC_API,
    ],
    builtins: 'all',
    packages: [
      'zod',
      'commander',
      '@commander-js/extra-typings',
      '@bomb.sh/tab',
      '@modelcontextprotocol/client',
      'string-width',
    ],
    why: 'cli parses words into options and hands them on; protocols are the business of wrap.',
  },
  inspect: {
    owns: /^inspect\//,
    modules: [/^inspect\//, /^core\//, /^access\//, { types: /^stores\/store\.ts$/ }],
    builtins: [],
    packages: [],
    why: 'inspect looks at a store from outside: it knows what an entry is, and nothing of the flow that makes and moves them.',
  },
  telemetry: {
    owns: /^telemetry\/[^/]+$/,
    modules: [/^telemetry\/[^/]+$/, { types: /^core\// }],
    builtins: ['node:async_hooks', 'node:diagnostics_channel'],
    packages: [],
    why: 'telemetry says what can be heard. It knows the words of the flow, and nothing of who listens.',
  },
  ui: {
    owns: /^ui\/(?!page\/)/,
    modules: [
      /^ui\/(?!page\/)/,
      /^agent\/wire\.ts$/,
      /^preview\/records\.ts$/,
      /^tokens\/tokenizer\.ts$/,
      { types: /^inspect\// },
      /^inspect\/cursors\.ts$/,
      { types: /^values\// },
      /^values\/(call-result|media)\.ts$/,
      ...PUBLIC_API,
    ],
    builtins: 'all',
    packages: [],
    why: 'ui shows people what a cache tells: it asks as any other caller does, and decides nothing of who may see what.',
  },
  otel: {
    owns: /^telemetry\/otel\//,
    modules: [/^telemetry\//, /^core\//],
    builtins: ['node:crypto'],
    packages: ['@opentelemetry/api'],
    why: 'otel listens to the channels, like a monitoring library of anybody else: it reaches nothing that they do not say.',
  },
  audit: {
    owns: /^audit\//,
    modules: [/^audit\//, /^access\//, /^core\//],
    builtins: 'all',
    packages: [],
    why: 'a sink writes down what was decided: it knows the words of access, not who decides.',
  },
  testing: {
    owns: /^testing\//,
    modules: [
      /^testing\//,
      /^core\//,
      /^access\//,
      /^ref-cache\.ts$/,
      /^stores\/store\.ts$/,
      { types: /^execution\/(executor|executor-handler)\.ts$/ },
    ],
    builtins: 'all',
    packages: [],
    why: 'the published suites test a contract from outside, with a test runner that is handed in.',
  },
  page: {
    owns: /^ui\/page\//,
    modules: [/^ui\/page\//, { types: /^ui\/api\.ts$/ }],
    builtins: [],
    packages: ['preact', 'htm', 'uplot'],
    why: 'the page runs in a browser: it knows what its server answers, and nothing that runs in Node.',
  },
}

/** Implementations of one contract do not lean on each other. */
const IMPLEMENTATIONS =
  /^(?:stores\/(?!store)|execution\/(?!executor|dispatcher))([a-z]+(?:-(?:process|threads))?)/

/** Where the wall clock is read or a timer set outside of core/clock.ts, and why that is right. */
const TIME_ALLOWED: ReadonlyArray<{ readonly files: RegExp; readonly why: string }> = [
  { files: /^core\/clock\.ts$/, why: 'is the clock' },
  {
    files: /^stores\/sqlite(-connection|-records|-space|-watch)?\.ts$/,
    why: 'other processes hold the file: real contention takes real time',
  },
  {
    files: /^stores\/sqlite-clocks\.ts$/,
    why: 'it compares processes by the one clock that the machine gives them all',
  },
  {
    files: /^(card\/(main|host)|agent\/card-html)\.ts$/,
    why: 'the card polls from a browser, and waits for its client',
  },
  { files: /^wrap\//, why: 'it starts, restarts and ends other processes, which live in real time' },
  { files: /^cli\//, why: 'its log lines carry the time, and its process has to end in time' },
  { files: /^execution\/threads\//, why: 'it kills threads, which live in real time' },
  {
    files: /^execution\/bullmq\/dispatcher\.ts$/,
    why: 'BullMQ wants the time of day at which a job comes up again',
  },
  { files: /^export\/temporary\.ts$/, why: 'it goes by the times of files that other processes wrote' },
  { files: /^ui\/page\//, why: 'a browser is its clock: it shows people what time goes by' },
  { files: /^query\//, why: 'it stops another process in time, and one that nobody asks any more' },
  { files: /^telemetry\/otel\//, why: 'it says how long things took, in the time of the machine' },
  { files: /^testing\//, why: 'the suites hold real stores and executors to their contract, in real time' },
]

const TIME = [
  /\bDate\.now\(/,
  /\bnew Date\(\)/,
  /\bsetTimeout\b/,
  /\bsetInterval\b/,
  /\bperformance\.now\(/,
  /\bprocess\.hrtime\b/,
]

/** The command, the page and the card ship as bundles with all that they use. */
const BUNDLED = /^(card|cli|wrap|clients|query\/child|ui\/page)\//

const files = sourceFiles()
const manifest = JSON.parse(readFileSync(`${REPOSITORY}package.json`, 'utf8')) as {
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
  peerDependencies: Record<string, string>
  peerDependenciesMeta: Record<string, { optional?: boolean }>
}

const areaOf = (path: string) => Object.entries(AREAS).find(([, area]) => area.owns.test(path))
const packageOf = (specifier: string) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
const isExternal = (specifier: string) => !specifier.startsWith('.') && !isBuiltin(specifier)

interface Found extends Import {
  readonly path: string
  readonly specifier: string
}

/** Every import with a literal specifier, with the file that has it. */
const imports: Found[] = files.flatMap(({ path, text }) =>
  importsOf(text).flatMap(({ kind, specifier }) =>
    specifier === undefined ? [] : [{ path, kind, specifier }],
  ),
)

function mayReach({ modules, builtins, packages }: Area, { path, kind, specifier }: Found): boolean {
  if (specifier.startsWith('.')) {
    const target = resolveWithin(path, specifier)
    return modules.some(rule =>
      rule instanceof RegExp ? rule.test(target) : kind === 'type' && rule.types.test(target),
    )
  }
  if (isBuiltin(specifier)) return builtins === 'all' || builtins.includes(specifier)
  return packages.includes(packageOf(specifier))
}

describe('the scanner of imports', () => {
  it('sees every form, and tells types from what runs', () => {
    const code = [
      "import { a, type B } from './a.ts'",
      "import type { C } from './c.ts'",
      "import * as d from 'node:d'",
      "import e, { f } from 'e'",
      "import './effect.ts'",
      'import {',
      '  g,',
      "} from './g.ts'",
      "export { h } from './h.ts'",
      "export * from './i.ts'",
      "export type { J } from './j.ts'",
      "const k = await import('k')",
      'const l = await import(name)',
      "export const text = 'x'",
      "// import { no } from './no.ts'",
      "/** import('no') */",
    ].join('\n')
    expect(importsOf(code)).toEqual([
      { kind: 'static', specifier: './a.ts' },
      { kind: 'type', specifier: './c.ts' },
      { kind: 'static', specifier: 'node:d' },
      { kind: 'static', specifier: 'e' },
      { kind: 'static', specifier: './effect.ts' },
      { kind: 'static', specifier: './g.ts' },
      { kind: 'static', specifier: './h.ts' },
      { kind: 'static', specifier: './i.ts' },
      { kind: 'type', specifier: './j.ts' },
      { kind: 'dynamic', specifier: 'k' },
      { kind: 'dynamic', specifier: undefined },
    ])
  })

  it('reads the whole source', () => {
    expect(files.length).toBeGreaterThan(30)
    expect(imports.length).toBeGreaterThan(100)
  })
})

describe('what may import what', () => {
  it('gives every source file an area', () => {
    const homeless = files.filter(({ path }) => !areaOf(path)).map(({ path }) => path)
    expect(homeless, 'A new folder needs an entry in AREAS that says what it may reach, and why.').toEqual([])
  })

  it.each(Object.keys(AREAS))('%s reaches only what it may know', name => {
    const area = AREAS[name]!
    const trespasses = imports
      .filter(found => area.owns.test(found.path) && !mayReach(area, found))
      .map(({ path, kind, specifier }) => `src/${path} has a ${kind} import of '${specifier}'`)
    expect(trespasses, `Because ${area.why}`).toEqual([])
  })

  it('keeps implementations of one contract apart', () => {
    const leaning = imports
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map(({ path, specifier }) => ({ path, target: resolveWithin(path, specifier) }))
      .filter(({ path, target }) => {
        const from = IMPLEMENTATIONS.exec(path)?.[1]
        const to = IMPLEMENTATIONS.exec(target)?.[1]
        const shared = ['format', 'quota', 'warnings', 'watchers', 'private'].includes(to ?? '')
        return from !== undefined && to !== undefined && from !== to && !shared
      })
      .map(({ path, target }) => `src/${path} imports src/${target}`)
    expect(
      leaning,
      'A driver stands alone: what two of them need belongs to core, or beside the contract.',
    ).toEqual([])
  })

  it('lets nothing internal import index.ts', () => {
    const found = imports
      .filter(({ specifier }) => specifier.startsWith('.'))
      .filter(({ path, specifier }) => resolveWithin(path, specifier) === 'index.ts')
      .map(({ path }) => `src/${path}`)
    expect(found, 'index.ts is for users. Inside, import the module that has the thing.').toEqual([])
  })

  it('lets the adapter of fastmcp run without the official SDK', () => {
    const needing = imports
      .filter(({ kind, specifier }) => kind !== 'type' && MCP_SDK.includes(packageOf(specifier)))
      .map(({ path }) => path)
    const start = files.map(({ path }) => path).filter(path => AREAS.fastmcp!.owns.test(path))
    expect(start).not.toEqual([])
    const reached = [...reachable(moduleGraph(), start)]
    expect(reached.filter(path => needing.includes(path))).toEqual([])
  })

  it('has no circle of imports, of types neither', () => {
    expect(
      findCycle(moduleGraph('with types')),
      'What two files know of each other is a third thing. Move the shared part out.',
    ).toBeUndefined()
  })
})

describe('dependencies', () => {
  const declared = { ...manifest.dependencies, ...manifest.peerDependencies }

  it('are all declared in package.json', () => {
    const undeclared = imports
      .filter(({ specifier }) => isExternal(specifier) && !(packageOf(specifier) in declared))
      .filter(
        ({ path, specifier }) => !(BUNDLED.test(path) && packageOf(specifier) in manifest.devDependencies),
      )
      .map(({ path, specifier }) => `src/${path} imports '${specifier}'`)
    expect(
      undeclared,
      'Declare it in dependencies, or as a peer; devDependencies are not there for users.',
    ).toEqual([])
  })

  it('are all used', () => {
    const used = new Set(imports.map(({ specifier }) => packageOf(specifier)))
    const unused = Object.keys(declared).filter(name => !used.has(name))
    expect(unused, 'Users should not install what nothing imports.').toEqual([])
  })

  it('load optional peers only when they are needed', () => {
    const optional = (specifier: string) =>
      manifest.peerDependenciesMeta[packageOf(specifier)]?.optional === true
    const eager = imports
      .filter(({ kind, specifier }) => kind === 'static' && optional(specifier))
      .filter(({ path }) => !BUNDLED.test(path))
      .map(({ path, specifier }) => `src/${path} imports '${specifier}' statically`)
    expect(
      eager,
      'It may be missing: use `await import()` and say what to install, or `import type`.',
    ).toEqual([])
  })

  it('are named in the source, not computed', () => {
    const computed = files
      // These load modules of the user.
      .filter(({ path }) => !['execution/threads/tool-module.ts', 'cli/work.ts'].includes(path))
      .filter(({ text }) => importsOf(text).some(({ specifier }) => specifier === undefined))
      .map(({ path }) => `src/${path}`)
    expect(computed, 'Give import() a literal, so that this test and bundlers can see it.').toEqual([])
  })
})

describe('source files', () => {
  it('have names that say what is in them', () => {
    const vague = files.filter(({ path }) =>
      /(^|\/)(utils?|helpers?|lib|common|managers?)(\.ts$|\/)/.test(path),
    )
    expect(
      vague.map(({ path }) => `src/${path}`),
      'Name the idea; if there are two, make two files.',
    ).toEqual([])
  })

  it('take their time from the clock', () => {
    const timed = files
      .filter(({ path }) => !TIME_ALLOWED.some(({ files }) => files.test(path)))
      .flatMap(({ path, text }) => timeUses(text).map(use => `src/${path} uses ${use}`))
    expect(
      timed,
      'Take a Clock, so that tests own time; or say in TIME_ALLOWED why real time is right.',
    ).toEqual([])
  })

  it('are allowed real time only while they use it', () => {
    const needless = TIME_ALLOWED.filter(
      allowed => !files.some(({ path, text }) => allowed.files.test(path) && timeUses(text).length > 0),
    )
    expect(needless, 'Take it off the list.').toEqual([])
  })
})

function timeUses(text: string): string[] {
  const code = withoutComments(text)
  return TIME.flatMap(pattern => pattern.exec(code)?.[0] ?? [])
}

/** What each file of this package loads at run time, or imports at all. */
function moduleGraph(types?: 'with types'): Map<string, string[]> {
  const graph = new Map<string, string[]>()
  for (const { path, kind, specifier } of imports) {
    if ((kind === 'static' || (types && kind === 'type')) && specifier.startsWith('.')) {
      graph.set(path, [...(graph.get(path) ?? []), resolveWithin(path, specifier)])
    }
  }
  return graph
}

/** The files `start`, and all that they load. */
function reachable(graph: ReadonlyMap<string, readonly string[]>, start: readonly string[]): Set<string> {
  const reached = new Set(start)
  // A set's iteration goes on through what is added to it.
  for (const path of reached) for (const next of graph.get(path) ?? []) reached.add(next)
  return reached
}

/** The first cycle that a depth-first walk meets, as a chain of paths. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): string | undefined {
  const done = new Set<string>()
  const visit = (path: string, above: readonly string[]): string | undefined => {
    if (above.includes(path)) return [...above.slice(above.indexOf(path)), path].join(' → ')
    if (done.has(path)) return undefined
    for (const next of graph.get(path) ?? []) {
      const cycle = visit(next, [...above, path])
      if (cycle) return cycle
    }
    done.add(path)
    return undefined
  }
  for (const path of graph.keys()) {
    const cycle = visit(path, [])
    if (cycle) return cycle
  }
  return undefined
}
