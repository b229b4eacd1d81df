#!/usr/bin/env node
import { runCommand } from './run.ts'

const exitCode = await runCommand(process.argv.slice(2))
// An open handle must not hold up the end: all that matters was closed.
process.exit(exitCode)
