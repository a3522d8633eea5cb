// What moves over the lanes: the chosen lane, the time cursor, the line before which one looks.

import { stateAt } from "../pure/at.ts";
import { clock } from "../pure/axis.ts";
import { named, type Plot, visible, xOf, yOf } from "../pure/lanes.ts";
import { moment, sentence } from "../pure/moment.ts";
import type { Agent, Scene } from "../pure/scene.ts";
import { seconds, shape } from "../pure/words.ts";
import { h, set, write } from "./dom.ts";
import type { Brush } from "./lanes.ts";
import { font } from "./lanescale.ts";

/** Where the pointer or the keyboard is; a lane of -1 is none. */
export interface Cursor {
  lane: number;
  t: number;
}

export interface Over {
  cursor: Cursor | null;
  /** Lane of the chosen agent; -1 for none. */
  selected: number;
  /** Time of the past that is shown; null is the present. */
  at: number | null;
}

const BAD = new Set(["failed", "over_budget"]);

export function drawOver(
  brush: Brush,
  plot: Plot,
  scene: Scene,
  agents: readonly Agent[],
  over: Over,
): void {
  if (over.at !== null) {
    fade(brush, plot, agents, over.at);
  }
  if (named(plot.lane)) {
    signs(brush, plot, scene, agents, over.at);
  }
  band(brush, plot, over.selected, true);
  if (over.cursor !== null) {
    band(brush, plot, over.cursor.lane, false);
    line(brush, plot, over.cursor.t, brush.colours.quiet);
  }
  if (over.at !== null) {
    line(brush, plot, over.at, brush.colours.focus);
  }
}

/** The state of each agent, by its sign beside its name. */
function signs(
  brush: Brush,
  plot: Plot,
  scene: Scene,
  agents: readonly Agent[],
  at: number | null,
): void {
  const { context, colours } = brush;
  const [first, last] = visible(plot);
  context.font = font(brush);
  context.textBaseline = "middle";
  context.textAlign = "left";
  for (let lane = first; lane < last; lane++) {
    const agent = agents[lane] as Agent;
    const state = stateAt(scene, agent, at ?? scene.now);
    context.fillStyle = BAD.has(state) ? colours.bad : colours.quiet;
    context.fillText(state === "" ? "" : shape(state), 4, yOf(plot, lane) + plot.lane / 2);
  }
}

/** What had not happened yet is hardly seen: the time after, and agents that had not begun. */
function fade({ context, colours }: Brush, plot: Plot, agents: readonly Agent[], at: number): void {
  const x = Math.min(Math.max(xOf(plot, at), plot.left), plot.right);
  const [first, last] = visible(plot);
  context.fillStyle = colours.paper;
  context.globalAlpha = 0.82;
  context.fillRect(x, plot.top, plot.right - x + 1, plot.bottom - plot.top);
  for (let lane = first; lane < last; lane++) {
    if ((agents[lane] as Agent).began > at) {
      context.fillRect(0, yOf(plot, lane), plot.left - 1, Math.max(plot.lane, 1));
    }
  }
  context.globalAlpha = 1;
}

function band({ context, colours, dense }: Brush, plot: Plot, lane: number, chosen: boolean): void {
  if (lane < 0) {
    return;
  }
  const [y, tall] = [yOf(plot, lane), Math.max(plot.lane, 4)];
  context.fillStyle = chosen ? colours.focus : colours.text;
  context.globalAlpha = chosen ? 0.16 : 0.07;
  context.fillRect(0, y, plot.right, tall);
  context.globalAlpha = 1;
  if (chosen) {
    context.fillRect(0, y, 3, tall);
    context.fillRect(plot.left, y - 1 / dense, plot.right - plot.left, 1 / dense);
    context.fillRect(plot.left, y + tall, plot.right - plot.left, 1 / dense);
  }
}

/** A line through all lanes, and its time on the axis. */
function line(brush: Brush, plot: Plot, t: number, colour: string): void {
  const { context, colours, dense } = brush;
  const x = Math.round(xOf(plot, t) * dense) / dense;
  if (x < plot.left - 1 || x > plot.right + 1) {
    return;
  }
  context.fillStyle = colour;
  context.fillRect(x, plot.top, 1, plot.bottom - plot.top);
  const text = t < 600 ? seconds(t) : clock(t, 1);
  context.font = font(brush);
  const wide = context.measureText(text).width + 8;
  const left = Math.min(Math.max(x - wide / 2, plot.left), plot.right - wide);
  context.fillStyle = colours.paper; // no mark of the axis is seen in part
  context.fillRect(left - 14, plot.bottom + 5, wide + 28, 17);
  context.fillStyle = colour;
  context.beginPath();
  context.roundRect(left, plot.bottom + 3, wide, 17, 3);
  context.fill();
  context.fillStyle = colours.paper;
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(text, left + 4, plot.bottom + 12);
}

/** What the agent under the cursor did then, beside the cursor and, for keys, read aloud. */
export class Tip {
  readonly element = h("div", { class: "knl-tip", "aria-hidden": "true", hidden: true });
  readonly spoken = h("div", { class: "knl-unseen", role: "status" });
  readonly #who = h("b");
  readonly #what = h("div");
  readonly #calls = h("div", { class: "knl-calls" });

  constructor() {
    this.element.append(this.#who, this.#what, this.#calls);
  }

  show(
    plot: Plot,
    scene: Scene,
    agents: readonly Agent[],
    cursor: Cursor | null,
    aloud: boolean,
  ): void {
    const agent = agents[cursor?.lane ?? -1];
    this.element.hidden = cursor === null || agent === undefined;
    if (cursor === null || agent === undefined) {
      return;
    }
    const found = moment(scene, agent, cursor.t);
    write(this.#who, found.who);
    write(this.#what, `${found.when}: ${found.what}`);
    write(this.#calls, found.calls.join("\n"));
    const x = Math.round(xOf(plot, cursor.t));
    const y = Math.round(yOf(plot, cursor.lane));
    const right = x > (plot.left + plot.right) / 2;
    const up = y > (plot.top + plot.bottom) / 2;
    const across = right ? `right:calc(100% - ${x - 10}px)` : `left:${x + 10}px`;
    const down = up ? `bottom:calc(100% - ${y - 4}px)` : `top:${y + plot.lane + 6}px`;
    set(this.element, { style: `${across};${down}` });
    if (aloud) {
      write(this.spoken, sentence(found));
    }
  }
}
