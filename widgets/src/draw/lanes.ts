// The lanes of the timeline on a canvas: stretches, tool calls, ends.

import { timeline } from "../pure/at.ts";
import { type Plot, visible, xOf, yOf } from "../pure/lanes.ts";
import { pieces } from "../pure/pieces.ts";
import type { Agent, Kind, Scene, Tick } from "../pure/scene.ts";
import { shape as sign } from "../pure/words.ts";
import type { Colours } from "./sheet.ts";

/** What lanes are drawn with. */
export interface Brush {
  context: CanvasRenderingContext2D;
  colours: Colours;
  /** Device pixels in a CSS pixel. */
  dense: number;
}

/** Top and height of what lies in a lane, from the lane's upper edge. */
export interface Shape {
  call: [number, number];
  tool: [number, number];
  /** Where lines run: of a wait, and of the critical path. */
  wait: number;
  path: number;
  /** Lanes are thick enough for signs in them. */
  signs: boolean;
}

/** Left, top and width of each, one after the other: thousands are made for every picture. */
type Rects = number[];

export function shape(lane: number): Shape {
  if (lane < 9) {
    const tall = lane > 2 ? lane - 1 : Math.max(lane, 1);
    const tool = tall > 3 ? tall - 2 : tall;
    const top = (tall - tool) / 2;
    const path = lane > 4 ? lane - 0.5 : tall / 2;
    const wait = Math.floor(tall / 2) + 0.5; // in the middle of a pixel: sharp
    return { call: [0, tall], tool: [top, tool], wait, path, signs: false };
  }
  const inset = Math.round(lane * 0.16);
  const tall = lane - 2 * inset - 1;
  const tool = Math.max(Math.round(tall * 0.5), 3);
  const top = inset + Math.round((tall - tool) / 2);
  const wait = inset + tall / 2;
  return {
    call: [inset, tall],
    tool: [top, tool],
    wait,
    path: lane - inset / 2 - 0.5,
    signs: true,
  };
}

export function drawLanes(brush: Brush, plot: Plot, scene: Scene, agents: readonly Agent[]): void {
  const { context, colours, dense } = brush;
  const form = shape(plot.lane);
  const rects: Record<Kind, Rects> = {
    call: [],
    failed: [],
    tool: [],
    queued: [],
    retry: [],
    other: [],
  };
  const cells = Math.max(Math.round((plot.right - plot.left) * dense), 1);
  const [first, last] = visible(plot);
  for (let lane = first; lane < last; lane++) {
    const spans = timeline(scene, agents[lane] as Agent, scene.now);
    const y = yOf(plot, lane);
    for (const [kind, from, to] of pieces(spans, plot, cells)) {
      rects[kind].push(plot.left + from / dense, y, (to - from) / dense);
    }
  }
  if (form.signs) {
    lives(brush, plot, scene, agents, form);
  }
  waits(brush, rects.queued, form, form.signs ? [2, 3] : [], colours.wait);
  waits(brush, rects.retry, form, form.signs ? [5, 3] : [], colours.bad);
  context.fillStyle = colours.call;
  fill(brush, rects.call, ...form.call, plot.lane);
  context.fillStyle = colours.tool;
  fill(brush, rects.tool, ...form.tool, plot.lane);
  failures(brush, rects.failed, form);
  calls(brush, plot, scene, agents, form);
  ends(brush, plot, agents, form);
}

function each(rects: Rects, draw: (x: number, y: number, width: number) => void): void {
  for (let i = 0; i < rects.length; i += 3) {
    draw(rects[i] as number, rects[i + 1] as number, rects[i + 2] as number);
  }
}

/** Bars; where they are long, one that follows another is set apart from it. */
function fill(
  { context, dense }: Brush,
  rects: Rects,
  top: number,
  height: number,
  lane: number,
): void {
  const gap = lane < 9 ? 0 : 1 / dense;
  each(rects, (x, y, width) => {
    context.fillRect(x, y + top, width > 4 ? width - gap : width, height);
  });
}

/** A hairline from the begin of each agent to its end: it is there, though it does nothing. */
function lives(
  brush: Brush,
  plot: Plot,
  scene: Scene,
  agents: readonly Agent[],
  form: Shape,
): void {
  const { context, colours, dense } = brush;
  const [first, last] = visible(plot);
  context.fillStyle = colours.line;
  for (let lane = first; lane < last; lane++) {
    const agent = agents[lane] as Agent;
    const from = Math.max(xOf(plot, agent.began), plot.left);
    const to = Math.min(xOf(plot, agent.ended ?? scene.now), plot.right);
    if (to > from) {
      context.fillRect(from, yOf(plot, lane) + Math.floor(form.wait), to - from, 1 / dense);
    }
  }
}

function waits(
  { context }: Brush,
  rects: Rects,
  form: Shape,
  dash: number[],
  colour: string,
): void {
  if (rects.length === 0) {
    return;
  }
  context.save();
  context.beginPath();
  each(rects, (x, y, width) => {
    context.moveTo(x, y + form.wait);
    context.lineTo(x + width, y + form.wait);
  });
  context.setLineDash(dash);
  context.lineWidth = form.signs ? 2 : 1;
  context.strokeStyle = colour;
  context.stroke();
  context.restore();
}

/** No answer came: a hollow bar that ends in a cross; in a thin lane a red one. */
function failures({ context, colours, dense }: Brush, rects: Rects, form: Shape): void {
  const [top, height] = form.call;
  context.fillStyle = colours.bad;
  context.strokeStyle = colours.bad;
  if (!form.signs) {
    each(rects, (x, y, width) => context.fillRect(x, y, Math.max(width, 2), height));
    return;
  }
  const thin = 1 / dense;
  each(rects, (x, y, width) => {
    context.globalAlpha = 0.22;
    context.fillRect(x, y + top, width, height);
    context.globalAlpha = 1;
    context.lineWidth = thin;
    context.strokeRect(
      x + thin / 2,
      y + top + thin / 2,
      Math.max(width - thin, thin),
      height - thin,
    );
  });
  context.beginPath();
  each(rects, (x, y, width) => {
    cross(context, x + Math.max(width - height / 2, width / 2), y + form.wait, 3.5);
  });
  context.lineWidth = 1.6;
  context.stroke();
}

export function cross(context: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  context.moveTo(x - size, y - size);
  context.lineTo(x + size, y + size);
  context.moveTo(x + size, y - size);
  context.lineTo(x - size, y + size);
}

/** Where each tool call returned: a thin line, or a cross if it failed. */
function calls(
  brush: Brush,
  plot: Plot,
  scene: Scene,
  agents: readonly Agent[],
  form: Shape,
): void {
  const { context, colours, dense } = brush;
  const [first, last] = visible(plot);
  const [top, height] = form.call;
  const bad: [number, number][] = [];
  context.fillStyle = colours.tool;
  for (let lane = first; lane < last; lane++) {
    const y = yOf(plot, lane) + top;
    let before = -1;
    for (const [, , ended, , ok] of ticksOf(scene, agents[lane] as Agent, plot)) {
      if (ok === 1 && !form.signs) {
        continue;
      }
      const x = Math.round(xOf(plot, ended) * dense) / dense;
      if (ok === 0) {
        bad.push([x, y]);
      } else if (x - before >= 2) {
        context.fillRect(x - 1, y, 1, height);
        before = x;
      }
    }
  }
  context.fillStyle = colours.bad;
  context.strokeStyle = colours.bad;
  context.beginPath();
  for (const [x, y] of bad) {
    if (form.signs) {
      cross(context, x - 1, y + height / 2, 2.5);
    } else {
      context.fillRect(x - 1, y, 2, height);
    }
  }
  context.lineWidth = 1.5;
  context.stroke();
}

/** How an agent ended that did not finish: its sign behind its end, in a thin lane a stub. */
function ends(brush: Brush, plot: Plot, agents: readonly Agent[], form: Shape): void {
  const { context, colours } = brush;
  const [first, last] = visible(plot);
  context.font = `bold 11px ${colours.ui}`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  for (let lane = first; lane < last; lane++) {
    const { ended, state } = agents[lane] as Agent;
    const x = xOf(plot, ended ?? plot.from);
    if (ended === null || state === "finished" || x < plot.left || x > plot.right) {
      continue;
    }
    context.fillStyle = state === "cancelled" ? colours.quiet : colours.bad;
    if (form.signs) {
      context.fillText(sign(state), x + 3, yOf(plot, lane) + form.wait);
    } else {
      context.fillRect(x + 2, yOf(plot, lane), 4, form.call[1]);
    }
  }
}

function ticksOf(scene: Scene, agent: Agent, plot: Plot): Tick[] {
  const ticks = scene.ticks[agent.number] ?? [];
  const whole = plot.from <= 0 && plot.to >= scene.now;
  return whole ? ticks : ticks.filter(([, , ended]) => ended >= plot.from && ended <= plot.to);
}
