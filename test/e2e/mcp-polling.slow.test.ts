import { pollingRequirements, SLOW } from './mcp-polling.ts'

pollingRequirements(SLOW)
