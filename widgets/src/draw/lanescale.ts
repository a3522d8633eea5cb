// What stands around the lanes: their names, the stages above, the time below.

import { marks } from "../pure/axis.ts";
import { every, named, type Plot, visible, xOf, yOf } from "../pure/lanes.ts";
import type { Agent, Scene } from "../pure/scene.ts";
import type { Brush } from "./lanes.ts";
import { fit } from "./sheet.ts";

const SIZE = 11;
/** Names that are measured: the first and the last, whose numbers are the longest. */
const SOME = 400;
/** Pixels that the number of a stage needs. */
const NUMBER = 18;

export function font({ colours }: Brush, weight = ""): string {
  return `${weight} ${SIZE}px ${colours.ui}`;
}

/** Pixels that the names beside the lanes take. */
export function gutter(brush: Brush, agents: readonly Agent[], { lane, right }: Plot): number {
  const { context } = brush;
  context.font = font(brush);
  const some =
    agents.length > SOME ? [...agents.slice(0, SOME / 2), ...agents.slice(-SOME / 2)] : agents;
  const shown = some.map((agent) => (named(lane) ? agent.label : agent.id));
  const widest = Math.max(...shown.map((text) => context.measureText(text).width), 30);
  return Math.ceil(Math.min(widest + (named(lane) ? 28 : 12), Math.max(right * 0.26, 44), 210));
}

export function drawNames(brush: Brush, plot: Plot, agents: readonly Agent[]): void {
  const { context, colours } = brush;
  const step = every(plot.lane);
  const whole = named(plot.lane);
  const [first, last] = visible(plot);
  context.font = font(brush);
  context.textBaseline = "middle";
  context.textAlign = "left";
  for (let lane = Math.ceil(first / step) * step; lane < last; lane += step) {
    if (lane > 0 && (last - lane) * plot.lane < 8 && step > 1) {
      break; // it would stand over the one before
    }
    const agent = agents[lane] as Agent;
    const middle = yOf(plot, lane) + plot.lane / 2;
    const y = whole ? middle : Math.min(Math.max(middle, plot.top + 6), plot.bottom - 6);
    const [text, from, to] = whole ? [agent.label, 18, 26] : [agent.id, 4, 10];
    context.fillStyle = whole ? colours.text : colours.quiet;
    context.fillText(fit(context, text, plot.left - to), from, y);
  }
}

/** Faint lines where stages began, with their numbers where there is room; tells where that ends. */
export function drawStages(brush: Brush, plot: Plot, scene: Scene): number {
  const { context, colours, dense } = brush;
  context.font = font(brush);
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.fillStyle = colours.quiet;
  context.fillText("stage", 4, plot.top / 2);
  let free = plot.left;
  for (const { began, number } of scene.stages) {
    const x = Math.round(xOf(plot, began) * dense) / dense;
    if (x < plot.left - 0.5 || x > plot.right) {
      continue;
    }
    context.fillStyle = colours.line;
    context.fillRect(x, 2, 1, plot.bottom - 2);
    if (x >= free) {
      context.fillStyle = colours.quiet;
      context.fillText(String(number), x + 4, plot.top / 2);
      free = x + NUMBER;
    }
  }
  return free;
}

export function drawAxis(brush: Brush, plot: Plot): void {
  const { context, colours, dense } = brush;
  context.fillStyle = colours.line;
  context.fillRect(plot.left, plot.bottom, plot.right - plot.left, 1 / dense);
  context.font = font(brush);
  context.textBaseline = "middle";
  for (const { t, text } of marks(plot, plot.right - plot.left)) {
    const x = Math.round(xOf(plot, t) * dense) / dense;
    const half = context.measureText(text).width / 2;
    context.fillStyle = colours.quiet;
    context.fillRect(x, plot.bottom, 1, 4);
    context.textAlign = "left";
    const place = Math.min(Math.max(x - half, plot.left - 4), plot.right - 2 * half);
    context.fillText(text, place, plot.bottom + 13);
  }
}

/** Where a run that goes on is; above there is room from `free` on. */
export function drawNow(brush: Brush, plot: Plot, now: number, free: number): void {
  const { context, colours, dense } = brush;
  if (now < plot.from || now > plot.to) {
    return;
  }
  const x = Math.round(xOf(plot, now) * dense) / dense;
  context.fillStyle = colours.quiet;
  context.font = font(brush);
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText("now", Math.max(Math.min(x + 4, plot.right - 22), free), plot.top / 2);
  for (let y = plot.top; y < plot.bottom; y += 5) {
    context.fillRect(x, y, 1, 2);
  }
}
