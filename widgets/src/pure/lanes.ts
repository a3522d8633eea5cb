// Where times and lanes lie on the timeline, in pixels. Nothing is drawn here.

import type { Agent } from "./scene.ts";

/** A part of a run's time, in seconds. */
export interface View {
  from: number;
  to: number;
}

/** Where everything lies, in CSS pixels from the left and the top of the picture. */
export interface Plot extends View {
  /** The lanes lie between these. */
  left: number;
  right: number;
  top: number;
  bottom: number;
  /** Height of a lane. */
  lane: number;
  lanes: number;
  /** Pixels of the lanes above `top`. */
  scroll: number;
}

/** Seconds that can be seen at least. */
const CLOSEST = 0.02;
const LANE = { thinnest: 2, tallest: 22, named: 11 };
/** Pixels that all lanes together take at most. */
const MOST = 640;
const ROUND = [1, 1.2, 1.5, 1.8, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9, 10];
const EVERY = [1, 2, 5, 10, 20, 50, 100, 200, 500];

/** The main agent first, then the others in the order in which they began. */
export function order(agents: readonly Agent[]): Agent[] {
  const main = agents.filter((agent) => agent.role !== "sub-agent");
  return [...main, ...agents.filter((agent) => agent.role === "sub-agent")];
}

/**
 * Height of each of so many lanes where there are `room` pixels: whole pixels, for sharp edges.
 * Where even one for each is too much, several lanes share a row of pixels.
 */
export function laneHeight(lanes: number, room: number): number {
  const even = Math.floor(room / Math.max(lanes, 1));
  const least = Math.min(LANE.thinnest, Math.floor(MOST / Math.max(lanes, 1)));
  return least > 0 ? Math.min(Math.max(even, least), LANE.tallest) : MOST / lanes;
}

/** What to know where lanes of this height share rows of pixels. */
export function shared(lane: number): string {
  const together = (1 / lane).toFixed(1).replace(".0", "");
  return `${together} agents share a row of pixels: it shows what any of them did. Names gives each a lane.`;
}

/** Whether a name fits beside a lane of this height. */
export function named(lane: number): boolean {
  return lane >= LANE.named;
}

/** Every how many-th lane a line of text fits beside lanes of this height. */
export function every(lane: number): number {
  return EVERY.find((number) => number * lane >= LANE.named + (lane < 1 ? 8 : 2)) ?? 1000;
}

/**
 * Where the picture ends, in seconds. While a run goes on that is a round time ahead, so that the
 * picture stands still most of the time instead of shrinking all the time.
 */
export function horizon(now: number, live: boolean): number {
  if (!live) {
    return Math.max(now, CLOSEST);
  }
  const wanted = Math.max(now * 1.03, 2);
  const unit = 10 ** Math.floor(Math.log10(wanted));
  return (ROUND.find((number) => number * unit >= wanted) ?? 10) * unit;
}

/** What is seen after zooming around `t`, where the run ends at `end`; null is all of it. */
export function zoom(view: View, end: number, t: number, factor: number): View | null {
  const long = view.to - view.from;
  const wanted = Math.max(long * factor, Math.min(CLOSEST, end));
  if (wanted >= end) {
    return null;
  }
  const from = t - ((t - view.from) / long) * wanted;
  return pan({ from, to: from + wanted }, end, 0);
}

/** The same length of time, so many seconds later, within a run that ends at `end`. */
export function pan(view: View, end: number, seconds: number): View {
  const long = view.to - view.from;
  const from = Math.min(Math.max(view.from + seconds, 0), Math.max(end - long, 0));
  return { from, to: from + long };
}

export function xOf(plot: Plot, t: number): number {
  return plot.left + ((t - plot.from) / (plot.to - plot.from)) * (plot.right - plot.left);
}

export function timeOf(plot: Plot, x: number): number {
  return plot.from + ((x - plot.left) / (plot.right - plot.left)) * (plot.to - plot.from);
}

/** Upper edge of a lane; of one that shares a row of pixels, that of the row. */
export function yOf(plot: Plot, lane: number): number {
  const y = plot.top + lane * plot.lane - plot.scroll;
  return plot.lane < 1 ? Math.floor(y + 1e-6) : y;
}

/** The lane at `y`; -1 where there is none. */
export function laneAt(plot: Plot, y: number): number {
  const lane = Math.floor((y - plot.top + plot.scroll) / plot.lane);
  return y >= plot.top && y < plot.bottom && lane < plot.lanes ? lane : -1;
}

/** The lanes that can be seen: from the first up to, and without, the last. */
export function visible(plot: Plot): [first: number, last: number] {
  const first = Math.floor(plot.scroll / plot.lane);
  const last = Math.ceil((plot.scroll + plot.bottom - plot.top) / plot.lane);
  return [first, Math.min(last, plot.lanes)];
}

/** `scroll` changed as little as possible so that a lane is seen whole. */
export function reveal(plot: Plot, lane: number): number {
  const least = (lane + 1) * plot.lane - (plot.bottom - plot.top);
  return Math.max(Math.min(plot.scroll, lane * plot.lane), least, 0);
}
