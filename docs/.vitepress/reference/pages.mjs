/**
 * Which page of docs/reference an export is on, by the file that declares it. The first that fits holds. What none names is on the page
 * `operating`, if it is of the package's root; any other entry point has a page of its own.
 *
 * @typedef {{ file: string, title: string, about: string, of: RegExp }} ReferencePage
 * @type {readonly ReferencePage[]}
 */
export const PAGES = [
  {
    file: 'cache',
    title: 'The cache',
    about: 'A `RefCache` and its methods. Guide: [the library](../start/library.md).',
    of: /^ref-cache(-as)?$/,
  },
  {
    file: 'cache-options',
    title: 'Options of the cache',
    about: 'What `new RefCache()` takes.',
    of: /^(ref-cache-options|core\/(ref|duration|clock|logger))$/,
  },
  {
    file: 'values',
    title: 'Putting in, reading, asking, editing',
    about: 'What the methods of the cache take. Guides: [asking](../asking.md), [editing](../editing.md).',
    of: /^(flow\/(call\/set|control|read|derive|actor-option)[^/]*(\/.*)?|values\/.*|core\/(piece|json|codec))$/,
  },
  {
    file: 'tools',
    title: 'Tools and their calls',
    about: 'What `cache.cached()` takes, and what one call may say. Guide: [tasks](../tasks.md).',
    of: /^(core\/(tool[^/]*|input|standard-schema)|flow\/call\/options)$/,
  },
  {
    file: 'handlers',
    title: 'What a handler gets',
    about:
      "The second argument of a tool's work: progress, pieces, questions. Guide: [tasks](../running-tasks.md#a-value-that-grows).",
    of: /^core\/(handler|question)$/,
  },
  {
    file: 'answers',
    title: 'Answers',
    about: 'What calls and `cache.get()` give, by `status`. Guide: [previews and pages](../previews.md).',
    of: /^(core\/response|preview\/.*)$/,
  },
  {
    file: 'errors',
    title: 'Errors',
    about: 'Each is a class with a stable `code`.',
    of: /^core\/errors$/,
  },
  {
    file: 'access',
    title: 'Actors, policies, namespaces',
    about: 'Guide: [who may know what](../access.md).',
    of: /^(access|audit)\/.*$/,
  },
  {
    file: 'operating',
    title: 'Looking in',
    about:
      'Lists, counts and events, for the host program and for operators. Guide: [for operators](../operators.md).',
    of: /^(flow\/operate|inspect)\/.*$|^core\/(entry|entry-counts|entry-info|events)$/,
  },
  {
    file: 'ui',
    title: 'The live page',
    about: 'What `uiHandler()` takes. Guide: [the live page](../live-page.md).',
    of: /^ui\/.*$/,
  },
  {
    file: 'stores',
    title: 'Stores',
    about: 'Guides: [stores](../stores.md), [Redis](../redis.md), [encryption at rest](../encryption.md).',
    of: /^stores\/(?!store$).*$/,
  },
  {
    file: 'store-contract',
    title: 'A store of your own',
    about: 'What a store has to do. Guide: [your own store](../own-store.md#your-own-store).',
    of: /^stores\/store$/,
  },
  {
    file: 'execution',
    title: 'Where handlers run',
    about: 'Guides: [threads](../threads.md), [scaling](../scaling.md).',
    of: /^execution\/.*$/,
  },
  {
    file: 'mcp',
    title: 'The official SDK',
    about:
      'What `attachRefCache()` and its `registerTool()` take. Guide: [your own server](../start/server.md).',
    of: /^(mcp|agent\/(?!program\/))(\/?.*)$/,
  },
  { file: 'fastmcp', title: 'fastmcp', about: 'Guide: [fastmcp](../fastmcp.md).', of: /^fastmcp\/.*$/ },
  {
    file: 'agent-programs',
    title: 'Agent programs',
    about: 'What the three packages below have in common. Guide: [agent programs](../agent-programs.md).',
    of: /^agent\/program\/.*$/,
  },
  {
    file: 'ai',
    title: 'The AI SDK',
    about: 'Guide: [agent programs](../agent-programs.md).',
    of: /^ai\/.*$/,
  },
  {
    file: 'openai-agents',
    title: 'The OpenAI Agents SDK',
    about: 'Guide: [agent programs](../agent-programs.md).',
    of: /^openai-agents\/.*$/,
  },
  {
    file: 'langchain',
    title: 'LangChain',
    about: 'Guide: [agent programs](../agent-programs.md).',
    of: /^langchain\/.*$/,
  },
  {
    file: 'telemetry',
    title: 'Telemetry',
    about: 'Guide: [telemetry](../telemetry.md).',
    of: /^telemetry\/.*$/,
  },
  {
    file: 'testing',
    title: 'Testing',
    about: 'Suites that hold a store or an executor of yours to the contract, and a clock for tests.',
    of: /^testing\/.*$/,
  },
]
