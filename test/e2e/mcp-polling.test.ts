import { pollingRequirements, QUICK } from './mcp-polling.ts'

pollingRequirements(QUICK)
