// The two ways in which the blocks of a graph are laid out: in lines, and from top to bottom.

import type { Box, Cell, Layout, Level } from "./cells.ts";
import type { Block } from "./flow.ts";

const EDGE = 14;
const HEAD = 28;
const TITLE = 18;
const PAD = 6;
const LINK = 18;
const SPINE = 28;
const BETWEEN = 22;
const SIZES = { step: 28, bare: 16, run: 64, join: 28 };
/** Edges need less room to spread where they go down. */
const UPRIGHT = 0.6;
/** Of the room in which edges spread, what those take that turn to the next line. */
const TURN = 0.7;
/** By how much edges spread further where there is room. */
const STRETCH = 2;

interface Grid {
  cols: number;
  rows: number;
}

/** From left to right, in as many lines; null if that takes more room than there is. */
export function lines(
  blocks: readonly Block[],
  width: number,
  level: Level,
  count: number,
  tall: number,
): Layout | null {
  const room = (tall - headOf(blocks) - (count - 1) * BETWEEN) / count - TITLE - 2 * PAD - 2;
  const most = Math.max(1, Math.floor((room + level.gap) / (level.h + level.gap)));
  const grids = blocks.map(({ members }) => gridOf(members.length, most));
  const broken = breakUp(blocks, grids, level, width);
  if (broken === null || broken.length > count) {
    return null;
  }
  const fit = stretch(blocks, grids, level, broken, width);
  const made = start(blocks, width, fit, false);
  let y = made.height;
  for (const line of broken) {
    const rows = Math.max(1, ...line.map((i) => grids[i]?.rows ?? 0));
    const boxed = line.some((i) => blocks[i]?.kind === "group");
    const inside = rows * (fit.h + fit.gap) - fit.gap + 2 * PAD;
    const high = boxed ? Math.max(SPINE, inside) : SPINE;
    y += boxed ? TITLE : 0;
    let x = EDGE;
    line.forEach((i, place) => {
      const block = blocks[i] as Block;
      x += place > 0 ? between(blocks[i - 1] as Block, block, fit) : 0;
      const w = widthOf(block, grids[i] as Grid, fit);
      put(made, block, i, grids[i] as Grid, x + w / 2, y + high / 2, fit);
      made.below[i] = y + high + BETWEEN / 2;
      x += w;
    });
    y += high + BETWEEN;
  }
  made.height = y - BETWEEN + 2;
  return made.height <= tall ? made : null;
}

/** From top to bottom: steps that follow each other share a row, sub-agents have the whole width. */
export function upright(
  blocks: readonly Block[],
  width: number,
  level: Level,
  tall: number,
): Layout | null {
  const inner = width - 2 * EDGE - 2 * PAD + level.gap;
  const most = Math.max(1, Math.floor(inner / (level.w + level.gap)));
  const widest = Math.max(0, ...blocks.map(({ members }) => members.length));
  const filled = inner / Math.max(1, Math.min(most, widest)) - level.gap;
  const fit = { ...level, w: Math.floor(Math.min(level.widest, filled)) };
  const made = start(blocks, width, fit, true);
  const fan = Math.round(level.fan * UPRIGHT);
  let y = made.height;
  for (const row of rowsOf(blocks, width)) {
    const first = blocks[row[0] as number] as Block;
    if (first.kind === "group") {
      const cols = Math.min(most, first.members.length);
      const grid = { cols, rows: Math.ceil(first.members.length / cols) };
      const high = grid.rows * (fit.h + fit.gap) - fit.gap + 2 * PAD;
      put(made, first, row[0] as number, grid, width / 2, y + high / 2, fit);
      y += high + fan;
    } else {
      const full = row.reduce((sum, i) => sum + SIZES[spine(blocks[i])] + LINK, -LINK);
      let x = (width - full) / 2;
      for (const i of row) {
        const w = SIZES[spine(blocks[i])];
        put(made, blocks[i] as Block, i, { cols: 0, rows: 0 }, x + w / 2, y + SPINE / 2, fit);
        made.below[i] = y + SPINE + BETWEEN / 4;
        x += w + LINK;
      }
      const next = blocks[(row.at(-1) as number) + 1];
      y += SPINE + (next?.kind === "group" ? fan : BETWEEN / 2);
    }
  }
  made.height = y - (blocks.at(-1)?.kind === "group" ? fan : BETWEEN / 2) + 2;
  return made.height <= tall ? made : null;
}

function start(blocks: readonly Block[], width: number, level: Level, up: boolean): Layout {
  const head = headOf(blocks);
  const main = blocks.find(({ agent }) => agent >= 0);
  const cells: Cell[] = [];
  if (main !== undefined) {
    const place = { x: EDGE - 8, y: 0, w: Math.min(width - EDGE, 720), h: 24 };
    const about = { agent: main.agent, block: -1, from: 0, to: 0 };
    cells.push({ id: "head", kind: "head", ...about, ...place });
  }
  return { width, height: head, level, upright: up, blocks, cells, boxes: [], below: [] };
}

function headOf(blocks: readonly Block[]): number {
  return blocks.some(({ agent }) => agent >= 0) ? HEAD + 4 : 2;
}

function spine(block: Block | undefined): keyof typeof SIZES {
  return block === undefined || block.kind === "group" ? "step" : block.kind;
}

function gridOf(members: number, most: number): Grid {
  const cols = Math.ceil(members / most);
  return { cols, rows: members > 0 ? Math.ceil(members / cols) : 0 };
}

function widthOf(block: Block, { cols }: Grid, { w, gap }: Level): number {
  return block.kind === "group" ? cols * (w + gap) - gap + 2 * PAD : SIZES[block.kind];
}

function between(before: Block, block: Block, { fan }: Level): number {
  const groups = Number(before.kind === "group") + Number(block.kind === "group");
  return groups === 0 ? LINK : fan * (groups === 2 ? 1.4 : 1);
}

/** Indices of the blocks of each line; null if one block is too wide for any. */
function breakUp(
  blocks: readonly Block[],
  grids: readonly Grid[],
  level: Level,
  width: number,
): number[][] | null {
  const found: number[][] = [];
  let x = Infinity;
  for (let i = 0; i < blocks.length; i++) {
    const block = blocks[i] as Block;
    const w = widthOf(block, grids[i] as Grid, level);
    const gap = i > 0 ? between(blocks[i - 1] as Block, block, level) : 0;
    const launched = blocks[i + 1]?.kind === "group" && block.kind !== "group";
    const beside = launched
      ? level.fan + widthOf(blocks[i + 1] as Block, grids[i + 1] as Grid, level)
      : 0;
    // What comes back from a group at the end of a line needs room to turn.
    const turn = (launched || block.kind === "group") && i + (launched ? 2 : 1) < blocks.length;
    if (x + gap + w + beside + (turn ? level.fan * TURN : 0) > width - EDGE) {
      found.push([]);
      x = EDGE;
    } else {
      x += gap;
    }
    if (x + w + beside > width - EDGE + 1) {
      return null;
    }
    found.at(-1)?.push(i);
    x += w;
  }
  return found;
}

/** The level with cells and edges as wide as the fullest line allows. */
function stretch(
  blocks: readonly Block[],
  grids: readonly Grid[],
  level: Level,
  broken: readonly number[][],
  width: number,
): Level {
  let [wider, further] = [level.widest - level.w, level.fan * STRETCH];
  for (const line of broken) {
    let [x, cols, fans] = [EDGE, 0, 0];
    line.forEach((i, place) => {
      const block = blocks[i] as Block;
      const gap = place > 0 ? between(blocks[i - 1] as Block, block, level) : 0;
      x += gap + widthOf(block, grids[i] as Grid, level);
      cols += grids[i]?.cols ?? 0;
      fans += gap / level.fan;
    });
    fans += broken.length > 1 ? TURN : 0;
    const spare = Math.max(0, width - EDGE - x - (broken.length > 1 ? TURN * level.fan : 0));
    wider = Math.min(wider, cols > 0 ? spare / cols : Infinity);
    further = Math.min(further, fans > 0 ? (spare - wider * cols) / fans : Infinity);
  }
  const fan = level.fan + Math.max(0, Math.floor(further));
  return { ...level, w: level.w + Math.floor(wider), fan };
}

function rowsOf(blocks: readonly Block[], width: number): number[][] {
  const found: number[][] = [];
  let x = Infinity;
  blocks.forEach((block, i) => {
    const w = SIZES[spine(block)] + LINK;
    const fresh = block.kind === "group" || blocks[i - 1]?.kind === "group";
    if (fresh || x + w > width - 2 * EDGE) {
      found.push([]);
      x = 0;
    }
    found.at(-1)?.push(i);
    x += w;
  });
  return found;
}

/** A block with its middle at a place; its sub-agents row by row, so that one more moves none. */
function put(
  made: Layout,
  block: Block,
  index: number,
  { cols, rows }: Grid,
  middle: number,
  height: number,
  { w, h, gap }: Level,
): void {
  const { agent, from, to, id } = block;
  if (block.kind !== "group") {
    const size = SIZES[block.kind];
    const high = block.kind === "run" ? 20 : size;
    const place = { x: middle - size / 2, y: height - high / 2, w: size, h: high };
    made.cells.push({ id, kind: block.kind, agent, block: index, from, to, ...place });
    return;
  }
  const [full, high] = [cols * (w + gap) - gap, rows * (h + gap) - gap];
  const [x, y] = [middle - full / 2, height - high / 2];
  const frame = { x: x - PAD, y: y - PAD, w: full + 2 * PAD, h: high + 2 * PAD };
  made.boxes.push({ id, block: index, cols, rows, ...frame } satisfies Box);
  block.members.forEach((number, i) => {
    const [column, row] = [i % cols, Math.floor(i / cols)];
    const place = { x: x + column * (w + gap), y: y + row * (h + gap), w, h };
    made.cells.push({
      id: `#${number}`,
      kind: "agent",
      agent: number,
      block: index,
      from: 0,
      to: 0,
      ...place,
    });
  });
}
