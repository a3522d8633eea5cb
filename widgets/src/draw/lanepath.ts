// The critical path through the lanes of the timeline.

import { type Plot, xOf, yOf } from "../pure/lanes.ts";
import type { Span } from "../pure/scene.ts";
import { type Brush, shape } from "./lanes.ts";

/** What decided how long the run took: along the lanes, and across where one handed over. */
export function drawPath(
  { context, colours }: Brush,
  plot: Plot,
  path: readonly Span[],
  lanes: ReadonlyMap<number, number>,
): void {
  const [along, across] = [new Path2D(), new Path2D()];
  const at = shape(plot.lane).path;
  let before: number | null = null;
  for (const [agent, began, ended] of path) {
    const lane = lanes.get(agent);
    if (lane === undefined || ended < plot.from || began > plot.to) {
      before = null;
      continue;
    }
    const y = yOf(plot, lane) + at;
    const x = Math.max(xOf(plot, began), plot.left);
    if (before !== null && before !== y) {
      across.moveTo(x, before);
      across.lineTo(x, y);
    }
    along.moveTo(x, y);
    along.lineTo(Math.min(xOf(plot, ended), plot.right), y);
    before = y;
  }
  const thick = plot.lane < 5 ? 1.5 : 2;
  context.lineCap = "square";
  context.strokeStyle = colours.paper;
  context.lineWidth = thick + 2;
  context.stroke(across);
  context.strokeStyle = colours.crit;
  context.lineWidth = thick;
  context.stroke(across);
  context.stroke(along);
  context.lineCap = "butt";
}
