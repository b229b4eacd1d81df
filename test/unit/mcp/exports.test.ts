import { expect, it } from 'vitest'
import * as mcp from '../../../src/mcp/index.ts'

it('exports these names, and no others, as mcp-refcache/mcp', () => {
  expect(Object.keys(mcp).sort()).toEqual([
    'SERVER_INSTRUCTIONS',
    'attachRefCache',
    'withTaskNotifications',
    'withTaskNotificationsOnStdio',
  ])
})
