import { html } from 'htm/preact'
import { useMemo } from 'preact/hooks'
import uPlot from 'uplot'
import type { History } from '../../api.ts'
import { shortCount } from '../words.ts'
import { axis, type Colors, Plot } from './plot.ts'

/** Tokens that were kept out in each hour, and what is left of them net. */
export function TokensPlot({ savings }: { savings: History['savings'] }) {
  const data = useMemo<uPlot.AlignedData>(
    () => [
      savings.map(({ at }) => Date.parse(at) / 1_000),
      savings.map(({ keptOut }) => keptOut),
      savings.map(({ net }) => net),
    ],
    [savings],
  )
  const kept = savings.reduce((sum, { keptOut }) => sum + keptOut, 0)
  const net = savings.reduce((sum, { net }) => sum + net, 0)
  return html`<section class="block" aria-labelledby="tokens-title">
    <div class="block-head">
      <h3 id="tokens-title">Tokens kept out, an hour each</h3>
      <p class="legend"><span class="key is-bar"></span>kept out <span class="key is-line"></span>net</p>
    </div>
    ${
      savings.length === 0
        ? html`<p class="empty is-plot">Nothing was kept out of a context yet. The first large result draws here.</p>`
        : html`<${Plot} label=${`${shortCount(kept)} tokens kept out, ${shortCount(net)} net, in ${savings.length} hours`} height=${220} data=${data} options=${options} />`
    }
  </section>`
}

function options(colors: Colors): Omit<uPlot.Options, 'width' | 'height'> {
  return {
    legend: { show: false },
    cursor: { show: false },
    padding: [10, 20, 0, 0],
    scales: { y: { range: (_, min, max) => [Math.min(0, min), max <= 0 ? 1 : max * 1.08] } },
    axes: [
      { ...axis(colors), size: 30, grid: { show: false }, values: HOURS },
      { ...axis(colors), size: 52, values: (_, ticks) => ticks.map(shortCount) },
    ],
    series: [
      {},
      {
        label: 'kept out',
        fill: `${colors.accent}55`,
        stroke: 'transparent',
        width: 0,
        paths: uPlot.paths.bars!({ size: [0.8, 28], radius: 0.2 }),
        points: { show: false },
      },
      { label: 'net', stroke: colors.accent, width: 2, points: { show: true, size: 5, fill: colors.accent } },
    ],
  }
}

/** Hours in 24, and the day where it begins. */
const HOURS: uPlot.Axis.DynamicValues = (_, ticks) =>
  ticks.map(seconds => {
    const at = new Date(seconds * 1_000)
    const hours = String(at.getHours()).padStart(2, '0')
    const minutes = String(at.getMinutes()).padStart(2, '0')
    return hours === '00' && minutes === '00'
      ? at.toLocaleDateString('en', { month: 'short', day: 'numeric' })
      : `${hours}:${minutes}`
  })
