import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const DEMO = fileURLToPath(new URL('../../examples/demo/demo.mjs', import.meta.url))

it('the demo shows what it promises, in plain lines off a terminal', async () => {
  const { code, stdout } = await new Promise<{ code: number; stdout: string }>(resolve => {
    const child = execFile(process.execPath, [DEMO], (_, output) =>
      resolve({ code: child.exitCode ?? -1, stdout: output }),
    )
  })
  expect(stdout).toContain('Everything above was seen and checked')
  expect(code).toBe(0)
  expect(stdout).toMatch(/%.*about \d+ s left/)
  expect(stdout).toMatch(/without {2}[\d,]+ tokens/)
  expect(stdout).toMatch(/page 3 of \d+/)
  for (const control of ['\u001b', '\r']) expect(stdout).not.toContain(control)
})
