// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of clients
import type { ClientName } from '../../../../src/clients/locations.ts'

export interface ClientFile {
  readonly client: ClientName
  /** Beneath the home folder; of a project, beneath its folder. */
  readonly path: string
  readonly scope: 'user' | 'project'
  readonly text: string
  /** Values that must be seen nowhere. */
  readonly secrets: readonly string[]
  /** Texts of the file that have to be there afterwards, as they are. */
  readonly kept: readonly string[]
}

/** Configurations as people have them on Linux: comments, tabs, CRLF, a byte order mark, trailing commas, keys of their own. */
export const CLIENT_FILES: readonly ClientFile[] = [
  {
    client: 'claude-desktop',
    scope: 'user',
    path: '.config/Claude/claude_desktop_config.json',
    text: `\uFEFF{
  "globalShortcut": "Ctrl+Space",
  "mcpServers": {
    "filesystem": {
      "command": "npx",
      "args": ["-y", "@modelcontextprotocol/server-filesystem", "/home/ada/notes"]
    },
    "github": {
      "command": "docker",
      "args": ["run", "-i", "--rm", "-e", "GITHUB_TOKEN=ghp_16C7e42F292c6912E7710c838347Ae178B4a", "ghcr.io/github/github-mcp-server"],
      "env": { "OTHER": "s3cr3t-of-env" }
    }
  },
  "isUsingBuiltInNodeForMcp": true
}
`,
    secrets: ['ghp_16C7e42F292c6912E7710c838347Ae178B4a', 's3cr3t-of-env'],
    kept: ['\uFEFF{', '"globalShortcut": "Ctrl+Space"', '"isUsingBuiltInNodeForMcp": true'],
  },
  {
    client: 'claude-code',
    scope: 'user',
    path: '.claude.json',
    text: `{
  "numStartups": 412,
  "mcpServers": {
    "search": {
      "type": "http",
      "url": "https://search.example/mcp?key=url-s3cr3t",
      "headers": { "Authorization": "Bearer header-s3cr3t", "X-Team": "\${TEAM:-core}" }
    },
    "linear": { "type": "http", "url": "https://mcp.linear.example/mcp" }
  },
  "projects": {
    "/elsewhere": { "mcpServers": { "other": { "command": "other" } } }
  },
  "oauthAccount": { "emailAddress": "ada@example.com" }
}`,
    secrets: ['url-s3cr3t', 'header-s3cr3t'],
    kept: [
      '"numStartups": 412',
      '"linear": { "type": "http", "url": "https://mcp.linear.example/mcp" }',
      '"/elsewhere": { "mcpServers": { "other": { "command": "other" } } }',
    ],
  },
  {
    client: 'cursor',
    scope: 'user',
    path: '.cursor/mcp.json',
    text: '{\r\n\t"mcpServers": {\r\n\t\t// my database\r\n\t\t"db": {\r\n\t\t\t"command": "uvx",\r\n\t\t\t"args": ["postgres-mcp", "postgresql://ada:db-s3cr3t@localhost:5432/app"],\r\n\t\t\t"envFile": "${userHome}/.env",\r\n\t\t},\r\n\t},\r\n}\r\n',
    secrets: ['db-s3cr3t'],
    kept: ['\t\t// my database\r\n', '"envFile": "${userHome}/.env",\r\n'],
  },
  {
    client: 'vscode',
    scope: 'project',
    path: '.vscode/mcp.json',
    text: `{
    // asked for once
    "inputs": [{ "id": "key", "type": "promptString", "description": "API key", "password": true }],
    "servers": {
        "api": {
            "type": "stdio",
            "command": "node",
            "args": ["\${workspaceFolder}/server.js", "--token", "arg-s3cr3t"],
            "env": { "API_KEY": "\${input:key}" },
            "dev": { "watch": "src/**" } /* restarts */
        },
        "local": { "type": "http", "url": "http://localhost:8123/mcp" },
    }
}
`,
    secrets: ['arg-s3cr3t'],
    kept: ['// asked for once', '"dev": { "watch": "src/**" } /* restarts */', '"API_KEY": "${input:key}"'],
  },
  {
    client: 'codex',
    scope: 'user',
    path: '.codex/config.toml',
    text: `# mine
model = "gpt-5"   # which one
approved_at = 2026-11-01

[mcp_servers.docs] # the docs
command = "npx" # from npm
args = [
  "-y", # do not ask
  "docs-mcp",
]
startup_timeout_sec = 20

[mcp_servers.docs.env]
DOCS_KEY = "toml-s3cr3t"

[mcp_servers."my api"]
url = "https://api.example/mcp" # ours
bearer_token_env_var = "API_TOKEN"
http_headers = { "X-Key" = "toml-header-s3cr3t" }
tool_timeout_sec = 90

[tui]
notifications = true
`,
    secrets: ['toml-s3cr3t', 'toml-header-s3cr3t'],
    kept: [
      '# mine\nmodel = "gpt-5"   # which one',
      'approved_at = 2026-11-01',
      '[mcp_servers.docs] # the docs',
      '# from npm',
      'tool_timeout_sec = 90',
      '[tui]\nnotifications = true',
    ],
  },
  {
    client: 'zed',
    scope: 'user',
    path: '.config/zed/settings.json',
    text: `// Zed settings
{
  "theme": "One Dark",
  "context_servers": {
    "from-extension": { "source": "extension", "settings": {} },
    "old": { "command": { "path": "old-server", "args": ["--quiet"], "env": { "A": "zed-s3cr3t" } } },
    // the new way
    "new": { "source": "custom", "command": "new-server", "args": [] },
  },
  "vim_mode": true, // of course
}
`,
    secrets: ['zed-s3cr3t'],
    kept: [
      '// Zed settings\n{',
      '// the new way',
      '"vim_mode": true, // of course',
      '"from-extension": { "source": "extension", "settings": {} }',
    ],
  },
  {
    client: 'windsurf',
    scope: 'user',
    path: '.codeium/windsurf/mcp_config.json',
    text: '{"mcpServers":{"remote":{"serverUrl":"https://w.example/mcp","headers":{"X-Api-Key":"wind-s3cr3t"},"disabledTools":["drop"]}}}',
    secrets: ['wind-s3cr3t'],
    kept: ['"disabledTools":["drop"]'],
  },
]
