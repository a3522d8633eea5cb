// Where each node of the graph lies: as large as it can be so that all of it is on one screen.

import { type Layout, LEVELS, type Level } from "./cells.ts";
import type { Block } from "./flow.ts";
import { lines, upright } from "./place.ts";

/** Pixels that the picture is high at most, if everything can be seen in them. */
export const TALL = 520;
/** Pixels of width below which stages go from top to bottom. */
export const NARROW = 640;
/** Lines into which stages may be broken. */
const MOST_LINES = 12;

/** `blocks` are those of a run, with its bare steps told apart and with most of them left out. */
export function layout(whole: readonly Block[], short: readonly Block[], width: number): Layout {
  const wide = Math.max(width, 160);
  for (const attempt of attempts(whole, short, wide)) {
    const found = attempt(TALL);
    if (found !== null) {
      return found;
    }
  }
  const last = LEVELS.at(-1) as Level;
  return lines(short, wide, last, MOST_LINES, Infinity) ?? upright(short, wide, last, Infinity)!;
}

type Attempt = (tall: number) => Layout | null;

/** From what one reads best to what takes least room. */
function* attempts(
  whole: readonly Block[],
  short: readonly Block[],
  width: number,
): Generator<Attempt> {
  const up = width < NARROW && whole.some(({ kind }) => kind === "group");
  const straight = (level: Level, blocks: readonly Block[]): Attempt =>
    up
      ? (tall) => upright(blocks, width, level, tall)
      : (tall) => lines(blocks, width, level, 1, tall);
  if (up) {
    yield* LEVELS.map((level) => straight(level, short));
  }
  const [card, slip, chip, ...small] = LEVELS as [Level, Level, Level, ...Level[]];
  for (const level of [card, slip, chip]) {
    yield straight(level, whole);
    yield straight(level, short);
  }
  yield* broken(whole, width, slip);
  for (const level of [chip, ...small]) {
    yield* broken(whole, width, level);
    yield straight(level, short);
    yield* broken(short, width, level);
  }
}

function* broken(blocks: readonly Block[], width: number, level: Level) {
  for (let count = 1; count <= MOST_LINES; count++) {
    yield (tall: number) => lines(blocks, width, level, count, tall);
  }
}
