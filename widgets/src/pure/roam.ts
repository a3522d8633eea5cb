// Where an arrow key leads from a cell.

import type { Rect } from "./cells.ts";

const WAYS: Record<string, readonly [x: number, y: number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
/** How much worse a pixel off the way is than one along it. */
const ASIDE = 3;

/** Index of the cell to go to, or null where the key leads nowhere. */
export function roam(cells: readonly Rect[], from: number, key: string): number | null {
  const here = cells[from];
  if (key === "Home" || key === "End") {
    return cells.length > 0 ? (key === "Home" ? 0 : cells.length - 1) : null;
  }
  const way = WAYS[key];
  if (way === undefined || here === undefined) {
    return null;
  }
  let [best, least] = [null as number | null, Infinity];
  cells.forEach((cell, i) => {
    const [x, y] = [
      middle(cell.x, cell.w) - middle(here.x, here.w),
      middle(cell.y, cell.h) - middle(here.y, here.h),
    ];
    const ahead = x * way[0] + y * way[1];
    const cost = ahead + ASIDE * Math.abs(x * way[1] + y * way[0]);
    if (ahead > 1 && cost < least) {
      [best, least] = [i, cost];
    }
  });
  return best;
}

function middle(at: number, size: number): number {
  return at + size / 2;
}
