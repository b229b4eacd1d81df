export const MAIN_HELP = `mcp-refcache: references for MCP tool results

Large results become previews that page; slow tools become handles that poll.

Usage
  mcp-refcache wrap [options] command args…      put it in front of any MCP server
  mcp-refcache wrap --url URL [options]          the same for a server behind HTTP
  mcp-refcache work --module tools.js --store redis://…     run tools for servers that put them in a queue
  mcp-refcache --version
  mcp-refcache --help, mcp-refcache wrap --help, mcp-refcache work --help

Example
  mcp-refcache wrap -- npx -y @modelcontextprotocol/server-everything
`

export const WRAP_HELP = `mcp-refcache wrap: put references in front of an MCP server, in any language, without a change to it

Usage
  mcp-refcache wrap [options] command args…
  mcp-refcache wrap --url URL [options]

What changes for the client
  A small, fast answer passes through as it is. A large one becomes a preview with a ref_id, a slow one a
  handle with a ref_id; get_cached_result, which is added to the tools, pages the one and waits for the other.
  Resources, prompts, sampling, elicitation, logging and all else pass through.

Options
  --async-timeout TIME   how long a call waits before it answers with a handle (20s)
  --inline TOKENS        up to here a result passes as it is (8000, or what the client takes)
  --max-size TOKENS      the size of a preview of a larger one (1000, at most a twelfth of the result)
  --max-answer TOKENS    no answer has more, whatever is asked (25000, or what the client takes)
  --list-reserved        list _fresh and _as_ref with each tool, for clients that send only what is listed
  --no-instructions      say how references work with each tool instead, for clients that ignore instructions
  --profile NAME         the client that answers are made for (that which connects)
  --store WHERE          a SQLite file, or 'memory' ($XDG_CACHE_HOME/mcp-refcache/cache-2.db)
  --max-store SIZE       the most that it keeps, such as 500MB; what was used least recently makes room (2GB;
                         512MB in memory)
  --encrypt              encrypt what is stored (in encrypted-2.db there); the keys are in $MCP_REFCACHE_KEYS as
                         id:base64 of 32 bytes, the current one first, with commas between them
  --encrypt-key-file F   the same with the keys from a file, a line each; it must be for this user alone (0600)
  --ttl TIME             how long results are kept; 'never' to keep them (1h)
  --max-ttl TIME         the longest that a client can have one kept, with keep_seconds (24h)
  --lease TIME           how long after a wrapper was killed its tasks are taken up again (30s)
  --name NAME            what references begin with (made from the command)
  --memoize PATTERN      identical calls of these tools share one result, for as long as --ttl; a name, or a
                         pattern such as 'search_*'; may be repeated (no tool)
  --invalidate 'A=B'     a call of tool A frees the memoized results of tool B, as in 'create_*=read_*'; may be
                         repeated
  --config FILE          settings for single tools, see below
  --url URL              wrap a server behind Streamable HTTP instead of a command
  --header 'Name: text'  sent to that server; \${VAR} is taken from the environment; may be repeated
  --http PORT            serve Streamable HTTP on http://127.0.0.1:PORT/mcp instead of stdio
  --host ADDRESS         listen there instead of on 127.0.0.1; other machines can reach it then: needs --tokens
  --tokens FILE          who may use --http: a line for each caller, its bearer token and its name, see below
  --quota-sessions N     sessions of one caller at once (8); the quotas go with --tokens
  --quota-calls N        calls of one caller that run or wait at once (100)
  --quota-bytes SIZE     results that are kept for one caller (1GB)
  --allow-origin ORIGIN  let scripts of this web page's origin use it, such as https://app.example; exact, may be
                         repeated; with --http (no origin)
  --export-dir FOLDER    let results be exported to new files in this folder (no such tool)
  --admin                add tools that list, show and delete references; not with --http
  --log-level LEVEL      debug, info, warn, error or silent (info); logs go to stderr
  --json                 logs as JSON lines
  -h, --help
Times are written 500ms, 20s, 10m, 1h, 7d.

Examples
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

Config file
  { "defaults": { "asyncTimeout": "10s" },
    "tools": {
      "search":   { "memoize": true, "ttl": "10m" },      identical calls share one run and one result
      "export":   { "asyncTimeout": 0, "hardTimeout": "3h" },   always a handle; stopped after three hours
      "get_time": { "cache": false } },                   passes through untouched
    "allowOrigin": ["https://app.example"] }              as --allow-origin, which adds to it
  Per tool: asyncTimeout, hardTimeout (1h), ttl, memoize (false), invalidates ([]), inline, maxSize, strategy (sample, truncate, paginate),
  resolveRefs (false: a ref_id in the arguments is passed on as it is), cache.
  A name may be a pattern: in "search_*", the * stands for any text. The most specific one wins.

Exit codes
  0    the client closed the connection         1    something unexpected
  2    wrong usage, or a wrong config file      3    the server cannot be started or reached
  4    the port is in use                       5    the store cannot be opened
  130  ended by SIGINT                          143  ended by SIGTERM
`

export const WORK_HELP = `mcp-refcache work: runs the tools of servers that put their work in a queue of BullMQ

Usage
  mcp-refcache work --module tools.js --store redis://host:6379 [options]

The servers ("fronts") have a cache with dispatcher: bullmqDispatcher({ connection }), on the same store and of the same name.
Any number of workers may run, on any machine. A task of a worker that is killed is run again elsewhere where its tool is
idempotent, else it has failed. Needs the packages bullmq and @redis/client.

Options
  --module FILE          registers tools: export function registerTools(cache) { cache.cached(…) }; may be repeated
  --store WHERE          the fronts' store: redis://…, or the path of a SQLite file that they share
  --connection URL       the Redis server of the queue (that of --store)
  --queue NAME           the queue (mcp-refcache-NAME, with the cache's name)
  --prefix TEXT          what BullMQ's keys begin with (bull)
  --name NAME            the name of the fronts' cache (cache)
  --concurrency N        tasks that run here at once (10)
  --lease TIME           how long after a worker was killed its tasks are taken up again (as the fronts')
  --drain TIME           what runs may go on for so long after SIGTERM or SIGINT (30s)
  --log-level LEVEL      debug, info, warn, error or silent (info); logs go to stderr
  --json                 logs as JSON lines
  -h, --help

Exit codes
  0    help                                     1    something unexpected
  2    wrong usage, or a module that does not load
  130  ended by SIGINT                          143  ended by SIGTERM
`
