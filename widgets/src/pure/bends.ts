// The paths of edges, as SVG writes them.

import type { Rect } from "./cells.ts";

export type Point = readonly [x: number, y: number];

/** Half of the width of a funnel at its narrow end. */
const NECK = 5;
const ROUND = 6;

/** Where an edge leaves something: to the right, or below. */
export function outOf({ x, y, w, h }: Rect, up: boolean): Point {
  return up ? [x + w / 2, y + h] : [x + w, y + h / 2];
}

/** Where an edge comes into something: from the left, or from above. */
export function into({ x, y, w, h }: Rect, up: boolean): Point {
  return up ? [x + w / 2, y] : [x, y + h / 2];
}

export function straight(from: Point, to: Point): string {
  return `M${at(from)}L${at(to)}`;
}

/** Leaves and arrives along the way in which the stages go. */
export function curve(from: Point, to: Point, up: boolean): string {
  return `M${at(from)}${bend(from, to, up)}`;
}

/** On to the next line: right, down to `middle` between the lines, back, and in from the left. */
export function turn(from: Point, to: Point, middle: number): string {
  const left = to[0] - 9;
  return (
    `M${at(from)}h3q${ROUND} 0 ${ROUND} ${ROUND}V${n(middle - ROUND)}q0 ${ROUND} ${-ROUND} ${ROUND}` +
    `H${n(left + ROUND)}q${-ROUND} 0 ${-ROUND} ${ROUND}V${n(to[1] - ROUND)}` +
    `q0 ${ROUND} ${ROUND} ${ROUND}H${n(to[0])}`
  );
}

/** From a point outside of a box to a cell in it: straight inside, behind other cells. */
export function inwards(from: Point, cell: Rect, box: Rect, up: boolean): string {
  const to = into(cell, up);
  const gate = gateOf(into(box, up), to, up);
  return `${curve(from, gate, up)}L${at(to)}`;
}

/** Likewise, from a cell to a point outside of its box. */
export function outwards(cell: Rect, to: Point, box: Rect, up: boolean): string {
  const from = outOf(cell, up);
  const gate = gateOf(outOf(box, up), from, up);
  return `M${at(from)}L${at(gate)}${bend(gate, to, up)}`;
}

/** From a cell in one box to a cell in another. */
export function across(from: Rect, to: Rect, boxes: readonly [Rect, Rect], up: boolean): string {
  const [start, end] = [outOf(from, up), into(to, up)];
  const leave = gateOf(outOf(boxes[0], up), start, up);
  const enter = gateOf(into(boxes[1], up), end, up);
  return `M${at(start)}L${at(leave)}${bend(leave, enter, up)}L${at(end)}`;
}

/** The area between a point and the whole side of a box: where the edges of all its cells are. */
export function funnel(point: Point, box: Rect, after: boolean, up: boolean): string {
  const [x, y] = after ? outOf(box, up) : into(box, up);
  const [a, b]: [Point, Point] = up
    ? [
        [box.x, y],
        [box.x + box.w, y],
      ]
    : [
        [x, box.y],
        [x, box.y + box.h],
      ];
  const [c, d]: [Point, Point] = up
    ? [
        [point[0] - NECK, point[1]],
        [point[0] + NECK, point[1]],
      ]
    : [
        [point[0], point[1] - NECK],
        [point[0], point[1] + NECK],
      ];
  return `M${at(c)}${bend(c, a, up)}L${at(b)}${bend(b, d, up)}Z`;
}

function gateOf(side: Point, cell: Point, up: boolean): Point {
  return up ? [cell[0], side[1]] : [side[0], cell[1]];
}

function bend(from: Point, to: Point, up: boolean): string {
  const [x, y] = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
  return up
    ? `C${at([from[0], y])} ${at([to[0], y])} ${at(to)}`
    : `C${at([x, from[1]])} ${at([x, to[1]])} ${at(to)}`;
}

function at([x, y]: Point): string {
  return `${n(x)} ${n(y)}`;
}

function n(value: number): string {
  return String(Math.round(value * 10) / 10);
}
