// What stands still on the timeline while nothing happens and nobody zooms.

import type { Plot } from "../pure/lanes.ts";
import type { Agent, Scene } from "../pure/scene.ts";
import { drawPath } from "./lanepath.ts";
import { type Brush, drawLanes } from "./lanes.ts";
import { drawAxis, drawNames, drawNow, drawStages, font } from "./lanescale.ts";

export function drawStill(
  brush: Brush,
  plot: Plot,
  scene: Scene,
  agents: readonly Agent[],
  lanes: ReadonlyMap<number, number>,
): void {
  const { context, colours } = brush;
  if (agents.length === 0) {
    context.font = font(brush);
    context.fillStyle = colours.quiet;
    context.fillText("No agent has begun yet.", 4, plot.top / 2 + 4);
    return;
  }
  const free = drawStages(brush, plot, scene);
  drawAxis(brush, plot);
  context.save();
  context.beginPath();
  context.rect(0, plot.top, plot.right + 18, plot.bottom - plot.top);
  context.clip();
  drawNames(brush, plot, agents);
  drawLanes(brush, plot, scene, agents);
  drawPath(brush, plot, scene.path, lanes);
  context.restore();
  if (scene.live) {
    drawNow(brush, plot, scene.now, free);
  }
}
