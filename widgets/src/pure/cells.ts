// The parts of a laid out graph, and how much a cell shows.

import type { Block } from "./flow.ts";

export interface Rect {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Cell extends Rect {
  readonly id: string;
  readonly kind: "step" | "bare" | "run" | "join" | "agent" | "head";
  /** Number of its agent; several cells may be of one main agent. */
  readonly agent: number;
  /** Index of its block; -1 for the head. */
  readonly block: number;
  readonly from: number;
  readonly to: number;
}

/** The frame around the sub-agents of a stage. */
export interface Box extends Rect {
  readonly id: string;
  readonly block: number;
  readonly cols: number;
  readonly rows: number;
}

/** How much a cell shows, and its size in pixels. */
export interface Level {
  readonly name: "card" | "slip" | "chip" | "tag" | "dot" | "bead" | "speck";
  readonly w: number;
  /** As wide as it grows where there is room. */
  readonly widest: number;
  readonly h: number;
  readonly gap: number;
  /** Room in which the edges spread. */
  readonly fan: number;
}

export interface Layout {
  width: number;
  height: number;
  level: Level;
  /** Stages go from top to bottom, not from left to right. */
  upright: boolean;
  blocks: readonly Block[];
  cells: Cell[];
  boxes: Box[];
  /** For each block the height at which its line ends and the next has not begun. */
  below: number[];
}

export const LEVELS: readonly Level[] = [
  { name: "card", w: 128, widest: 340, h: 66, gap: 10, fan: 56 },
  { name: "slip", w: 124, widest: 220, h: 42, gap: 8, fan: 44 },
  { name: "chip", w: 84, widest: 150, h: 24, gap: 4, fan: 36 },
  { name: "tag", w: 46, widest: 60, h: 22, gap: 4, fan: 30 },
  { name: "dot", w: 20, widest: 20, h: 20, gap: 3, fan: 28 },
  { name: "bead", w: 15, widest: 15, h: 15, gap: 2, fan: 26 },
  { name: "speck", w: 11, widest: 11, h: 11, gap: 2, fan: 24 },
];
