// How fast a run is played again.

const BASE = 4;
/** Seconds in which any run is played, unless one chooses otherwise. */
const SENSIBLE = 30;

/** Three speeds for a run of so many seconds; the middle one plays it in a sensible time. */
export function speeds(seconds: number): [slow: number, middle: number, fast: number] {
  const needed = Math.log(Math.max(seconds, 0.001) / SENSIBLE) / Math.log(BASE);
  const middle = BASE ** Math.max(Math.ceil(needed - 1e-9), 0);
  return [middle / BASE, middle, middle * BASE];
}
