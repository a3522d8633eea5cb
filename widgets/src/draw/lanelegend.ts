// What the signs of the timeline mean, in words.

import { h, s } from "./dom.ts";

const WIDE = 24;
const TALL = 14;

export function legend(): HTMLElement {
  const bar = (kind: string, y: number, height: number): SVGElement =>
    s("rect", { class: kind, x: 0, y, width: WIDE, height });
  const line = (kind: string, y: number, dash = ""): SVGElement =>
    s("line", { class: kind, x1: 0, x2: WIDE, y1: y, y2: y, "stroke-dasharray": dash || false });
  const cross = (x: number, size: number): SVGElement => {
    const [a, b] = [x - size, x + size];
    const [c, d] = [TALL / 2 - size, TALL / 2 + size];
    return s("path", { class: "knl-cross", d: `M${a} ${c}L${b} ${d}M${b} ${c}L${a} ${d}` });
  };
  const ticks = [12, 20].map((x) =>
    s("rect", { class: "knl-tool", x, y: 2, width: 1, height: 10 }),
  );
  return h(
    "div",
    { class: "knl-legend" },
    key("model call", bar("knl-call", 2, 10)),
    key("no answer", bar("knl-failed", 2.5, 9), cross(20, 3.5)),
    key("tool calls, | one returned", bar("knl-tool", 4.5, 5), ...ticks),
    key("× one failed", bar("knl-tool", 4.5, 5), cross(14, 2.5)),
    key("waits for a slot", line("knl-queued", 7, "2 3")),
    key("waits to try again", line("knl-retry", 7, "5 3")),
    key("critical path", line("knl-path", 7)),
  );
}

function key(text: string, ...shapes: SVGElement[]): HTMLElement {
  const size = { width: WIDE, height: TALL, viewBox: `0 0 ${WIDE} ${TALL}`, "aria-hidden": "true" };
  return h("span", { class: "knl-key" }, s("svg", size, ...shapes), text);
}
