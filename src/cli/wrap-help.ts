/** What the help of `wrap` says beside its options. */
export const WRAP_HELP = {
  usage: `[options] [--] command args…
       mcp-refcache wrap --url URL [options]
       mcp-refcache wrap --servers FILE [options]`,

  description: [
    'Put references in front of an MCP server, in any language, without a change to it.\n',
    'What changes for the client: a small, fast answer passes through as it is. A large one becomes a preview with a',
    'ref_id, a slow one a handle with a ref_id; get_cached_result, which is added to the tools, pages the one and waits',
    'for the other. Resources, prompts, sampling, elicitation, logging and all else pass through.',
  ],

  after: `
Times are written 500ms, 20s, 10m, 1h, 7d.

Examples:
  An entry of a client's configuration, before and after:
    { "command": "npx", "args": ["-y", "@modelcontextprotocol/server-filesystem", "/data"] }
    { "command": "npx", "args": ["-y", "mcp-refcache", "wrap", "--",
                                 "npx", "-y", "@modelcontextprotocol/server-filesystem", "/data"] }
  Patience of five seconds, previews of 2000 tokens, nothing on disk:
    mcp-refcache wrap --async-timeout 5s --max-size 2000 --store memory -- python server.py
  A server behind HTTP, with its token from the environment:
    mcp-refcache wrap --url https://example.com/mcp --header 'Authorization: Bearer \${TOKEN}'

  For a team: a token and a name a line, in a file that is yours alone (chmod 600); it is read again when it changes:
    printf '%s alice\\n' "$(openssl rand -hex 32)" > tokens && chmod 600 tokens
    mcp-refcache wrap --http 8080 --tokens tokens -- python server.py
    curl -H 'Authorization: Bearer 2f6c…9a' …    its results and sessions are alice's alone

Config file:
  { "defaults": { "asyncTimeout": "10s" },
    "tools": {
      "search":   { "memoize": true, "ttl": "10m" },      identical calls share one run and one result
      "export":   { "asyncTimeout": 0, "hardTimeout": "3h" },   always a handle; stopped after three hours
      "get_time": { "cache": false } },                   passes through untouched
    "allowOrigin": ["https://app.example"] }              as --allow-origin, which adds to it
  Per tool: asyncTimeout, hardTimeout (1h), ttl, memoize (false), invalidates ([]), inline, maxSize, strategy (sample, truncate, paginate),
  resolveRefs (false: a ref_id in the arguments is passed on as it is), cache.
  A name may be a pattern: in "search_*", the * stands for any text. The most specific one wins.

Exit codes:
  0    the client closed the connection         1    something unexpected
  2    wrong usage, or a wrong config file      3    the server cannot be started or reached
  4    the port is in use                       5    the store cannot be opened
  130  ended by SIGINT                          143  ended by SIGTERM`,
} as const
