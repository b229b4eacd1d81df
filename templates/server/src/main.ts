#!/usr/bin/env node
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { RefCache } from 'mcp-refcache'
import { sqliteStore } from 'mcp-refcache/stores/sqlite'
import { createServer } from './server.ts'
import { sampleShop } from './shop.ts'

// Results outlive the process: in ~/.cache/mcp-refcache, for an hour.
const cache = new RefCache({ name: 'my-server', store: sqliteStore(), defaultTtl: '1h' })

serveStdio(() => createServer(cache, sampleShop))

// Tasks that run get the time that a client leaves its server to end.
const stop = () => cache.close({ drain: '3s' }).finally(() => process.exit())
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop)
process.stdin.once('end', stop)
