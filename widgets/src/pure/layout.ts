// Where each node of the graph lies: as large as it can be so that all of it is on one screen.

import { type Layout, LEVELS, type Level } from "./cells.ts";
import type { Block } from "./flow.ts";
import { lines, upright } from "./place.ts";

/** Pixels that the picture is high at most, if everything can be seen in them. */
export const TALL = 520;
/** Pixels of width below which stages go from top to bottom. */
export const NARROW = 640;
/** Pixels of width that it is never narrower than. */
const LEAST = 200;
/** Pixels of height that a line needs at least. */
const LINE = 40;
/** By how much the picture grows if nothing fits. */
const GROWTH = 1.25;

/** `blocks` are those of a run, with its bare steps told apart and with most of them left out. */
export function layout(whole: readonly Block[], short: readonly Block[], width: number): Layout {
  const wide = Math.max(width, LEAST);
  for (let tall = TALL; ; tall *= GROWTH) {
    for (const attempt of attempts(whole, short, wide, tall)) {
      const found = attempt();
      if (found !== null) {
        return found;
      }
    }
  }
}

type Attempt = () => Layout | null;

/** From what one reads best to what takes least room. */
function* attempts(
  whole: readonly Block[],
  short: readonly Block[],
  width: number,
  tall: number,
): Generator<Attempt> {
  const [card, slip, chip, ...small] = LEVELS as [Level, Level, Level, ...Level[]];
  if (!whole.some(({ kind }) => kind === "group")) {
    yield* broken(whole, width, card, tall);
  } else if (width < NARROW) {
    yield* LEVELS.map((level) => () => upright(short, width, level, tall));
  } else {
    for (const level of [card, slip, chip]) {
      yield () => lines(whole, width, level, 1, tall);
      yield () => lines(short, width, level, 1, tall);
    }
    yield* broken(whole, width, slip, tall);
  }
  for (const level of [chip, ...small]) {
    yield* broken(whole, width, level, tall);
    yield* broken(short, width, level, tall);
  }
}

function* broken(
  blocks: readonly Block[],
  width: number,
  level: Level,
  tall: number,
): Generator<Attempt> {
  for (let count = 1; count * LINE <= tall; count++) {
    yield () => lines(blocks, width, level, count, tall);
  }
}
