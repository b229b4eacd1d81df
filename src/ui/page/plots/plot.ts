import { html } from 'htm/preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import uPlot from 'uplot'

/** The page's colours, as the style sheet has them now. */
export interface Colors {
  readonly accent: string
  readonly text: string
  readonly muted: string
  readonly line: string
  readonly bad: string
}

interface PlotProps {
  /** What a screen reader says in its place. */
  readonly label: string
  readonly height: number
  readonly data: uPlot.AlignedData
  readonly options: (colors: Colors) => Omit<uPlot.Options, 'width' | 'height'>
}

/** One plot as wide as its place, drawn anew when dark becomes light. */
export function Plot({ label, height, data, options }: PlotProps) {
  const place = useRef<HTMLDivElement>(null)
  const isDark = useDark()
  useEffect(() => {
    const element = place.current
    if (element === null) return
    const plot = new uPlot(
      { ...options(colorsOf(element)), width: element.clientWidth, height },
      data,
      element,
    )
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.destroy()
    }
  }, [isDark, data, height])
  return html`<div class="plot" role="img" aria-label=${label} ref=${place} style=${{ height: `${height}px` }}></div>`
}

function useDark(): boolean {
  const [isDark, setDark] = useState(false)
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)')
    const listener = () => setDark(query.matches)
    listener()
    query.addEventListener('change', listener)
    return () => query.removeEventListener('change', listener)
  }, [])
  return isDark
}

function colorsOf(element: HTMLElement): Colors {
  const style = getComputedStyle(element)
  const color = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return {
    accent: color('accent'),
    text: color('text'),
    muted: color('muted'),
    line: color('line'),
    bad: color('bad'),
  }
}

/** Axes of all plots look alike. */
export function axis({ muted, line }: Colors): uPlot.Axis {
  return {
    stroke: muted,
    font: '12px system-ui, sans-serif',
    grid: { stroke: line, width: 1 },
    ticks: { stroke: line, width: 1, size: 4 },
  }
}
