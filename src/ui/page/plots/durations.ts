import { html } from 'htm/preact'
import { useMemo } from 'preact/hooks'
import type uPlot from 'uplot'
import type { History } from '../../api.ts'
import { countText, plural, spanText } from '../words.ts'
import { axis, type Colors, Plot } from './plot.ts'
import { durationsOf, type ToolRuns } from './tool-runs.ts'

const LINE_HEIGHT = 30
const AXIS_HEIGHT = 34

/** How long each tool took: a point a run, the tools with the most runs on top, on a scale where each step is ten times the one before. */
export function DurationsPlot({ runs }: { runs: History['runs'] }) {
  const { tools, data } = useMemo(() => durationsOf(runs), [runs])
  const said = tools.map(
    ({ tool, median, count }) => `${tool}: ${plural(count, 'run')}, half of them within ${spanText(median)}`,
  )
  return html`<section class="block" aria-labelledby="durations-title">
    <div class="block-head">
      <h3 id="durations-title">How long tools take</h3>
      <p class="legend"><span class="key is-run"></span>a run <span class="key is-failed"></span>failed <span class="key is-median"></span>median</p>
    </div>
    ${
      tools.length === 0
        ? html`<p class="empty is-plot">No run has ended yet.</p>`
        : html`<${Plot} label=${said.join('; ')} height=${tools.length * LINE_HEIGHT + AXIS_HEIGHT} data=${data} options=${(colors: Colors) => options(colors, tools)} />`
    }
  </section>`
}

function options(colors: Colors, tools: readonly ToolRuns[]): Omit<uPlot.Options, 'width' | 'height'> {
  const points = (fill: string, size: number): uPlot.Series => ({
    paths: () => null,
    points: { show: true, size, fill, stroke: fill, width: 0 },
  })
  return {
    legend: { show: false },
    cursor: { show: false },
    padding: [4, 26, 0, 0],
    scales: {
      x: { time: false, distr: 3, range: decades },
      y: { range: [-0.6, tools.length - 0.4] },
    },
    axes: [
      {
        ...axis(colors),
        size: 30,
        splits: (_, __, min, max) => powersOfTen(min, max),
        values: (_, ticks) => ticks.map(shortSpan),
      },
      {
        ...axis(colors),
        stroke: colors.text,
        size: 120,
        ticks: { show: false },
        splits: tools.map((_, i) => tools.length - 1 - i),
        values: tools.map(({ tool }) => (tool.length > 16 ? `${tool.slice(0, 15)}…` : tool)),
      },
    ],
    series: [{}, points(`${colors.accent}66`, 7), points(colors.bad, 7), points(colors.text, 9)],
  }
}

/** Whole steps of ten around all runs. */
function decades(_: uPlot, min: number, max: number): [number, number] {
  const least = 10 ** Math.floor(Math.log10(min))
  const most = 10 ** Math.ceil(Math.log10(max))
  return least === most ? [least, most * 10] : [least, most]
}

function powersOfTen(min: number, max: number): number[] {
  const first = Math.round(Math.log10(min))
  return Array.from({ length: Math.round(Math.log10(max)) - first + 1 }, (_, i) => 10 ** (first + i))
}

/** `10 ms`, `1 s`, `100 s`, `1000 s`: steps of ten, said as such. */
function shortSpan(milliseconds: number | null): string {
  // There is no room for this one.
  if (milliseconds === null) return ''
  return milliseconds < 1_000 ? `${milliseconds} ms` : `${countText(milliseconds / 1_000)} s`
}
