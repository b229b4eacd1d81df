// Takes the pictures of the live page that the docs show: `npm run build`, then `node scripts/pictures-page.mjs`.
// A Chromium has to be installed. What is shown is made up, and the same each time.
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { servePage } from '../test/e2e/fixtures/page-server.mjs'

const FOLDER = fileURLToPath(new URL('../docs/pictures/', import.meta.url))
const DESK = { width: 1440, height: 740 }
const PHONE = { width: 360, height: 780 }

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
})

for (const colorScheme of ['light', 'dark']) {
  await take(`overview-${colorScheme}`, DESK, colorScheme)
  await take(`question-${colorScheme}`, DESK, colorScheme, askAboutRows)
  await take(`phone-${colorScheme}`, PHONE, colorScheme)
}
await browser.close()

/** Opens a table, and clicks on a column: how often which value is there. */
async function askAboutRows(page, { entries }) {
  const { ref } = entries.find(({ tool, status }) => tool === 'query' && status === 'complete')
  await page.evaluate(`location.hash = '${ref}'`)
  await page.getByRole('button', { name: 'level', exact: true }).click()
  await page.getByRole('region', { name: 'Answer' }).waitFor()
}

async function take(name, viewport, colorScheme, act = async () => {}) {
  const server = await servePage({ entries: 10_000, running: 5 })
  const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: 1 })
  const page = await context.newPage()
  await page.goto(server.url)
  await page.locator('.plot canvas').first().waitFor()
  await act(page, server.state)
  // Bars and sizes have come to rest.
  await page.waitForTimeout(1_500)
  await page.screenshot({ path: `${FOLDER}live-page-${name}.png` })
  await context.close()
  await server.stop()
}
