import type { MarkdownRenderer } from 'vitepress'

/** A fence of mermaid becomes a diagram, which the browser draws; without scripts its text is shown. */
export function diagrams(md: MarkdownRenderer): void {
  const fence = md.renderer.rules.fence!
  md.renderer.rules.fence = (tokens, index, options, env, self) => {
    const { info, content } = tokens[index]!
    if (info.trim() !== 'mermaid') return fence(tokens, index, options, env, self)
    return `<MermaidDiagram source="${encodeURIComponent(content)}" />`
  }
}
