// A curve that is drawn by hand: one whole number for each column of the time.

/** Steps: from each time on, so many agents, until the next. */
export type Points = readonly (readonly [number, number])[];

/** What is under the pointer: a column and a height. */
export interface Spot {
  column: number;
  height: number;
}

/** Draw a stroke into the heights, from one spot to another, with no column left out. */
export function stroke(heights: number[], from: Spot, to: Spot): void {
  const way = Math.abs(to.column - from.column);
  for (let i = 0; i <= way; i++) {
    const share = way === 0 ? 1 : i / way;
    const column = Math.round(from.column + (to.column - from.column) * share);
    heights[column] = Math.round(from.height + (to.height - from.height) * share);
  }
}

/** The spot at shares of the width and of the height (from the top), kept on the board. */
export function spotAt(across: number, down: number, columns: number, most: number): Spot {
  const within = (value: number, end: number): number => Math.max(0, Math.min(end, value));
  return {
    column: within(Math.floor(across * columns), columns - 1),
    height: within(Math.round((1 - down) * most), most),
  };
}

/** What the keyboard does to a board. */
export interface Pen {
  column: number;
  /** Shift: the height is carried along. */
  carry: boolean;
}

/** Take a key in; false where it means nothing here. */
export function press(key: string, heights: number[], pen: Pen, most: number): boolean {
  const last = heights.length - 1;
  const big = Math.max(1, Math.round(most / 5));
  const moves = new Map([
    ["ArrowLeft", pen.column - 1],
    ["ArrowRight", pen.column + 1],
    ["Home", 0],
    ["End", last],
  ]);
  const lifts = new Map([
    ["ArrowUp", 1],
    ["ArrowDown", -1],
    ["PageUp", big],
    ["PageDown", -big],
  ]);
  const height = heights[pen.column] ?? 0;
  const target = moves.get(key);
  if (target !== undefined) {
    const column = Math.max(0, Math.min(last, target));
    if (pen.carry) {
      stroke(heights, { column: pen.column, height }, { column, height });
    }
    pen.column = column;
    return true;
  }
  const lift = lifts.get(key);
  if (lift === undefined) {
    return false;
  }
  heights[pen.column] = Math.max(0, Math.min(most, height + lift));
  return true;
}

/** The columns as steps on an axis that ends there. */
export function pointsOf(heights: readonly number[], end: number): [number, number][] {
  return heights.map((height, column) => [(end * column) / heights.length, height]);
}

/** The corners of a curve of steps, as the data of an SVG path; `x` and `y` place them. */
export function staircase(
  points: Points,
  end: number,
  x: (t: number) => number,
  y: (n: number) => number,
): string {
  const parts: string[] = [];
  for (const [t, n] of points) {
    const across = x(t).toFixed(2);
    parts.push(
      parts.length === 0 ? `M${across} ${y(n).toFixed(2)}` : `H${across}V${y(n).toFixed(2)}`,
    );
  }
  return parts.length === 0 ? "" : `${parts.join("")}H${x(end).toFixed(2)}`;
}

/** Round numbers from 0 to `end`, at most so many steps; whole ones if wanted. */
export function ticks(end: number, most: number, whole: boolean): number[] {
  if (!(end > 0)) {
    return [0];
  }
  const power = 10 ** Math.floor(Math.log10(end / most));
  const round = [1, 2, 5, 10].map((times) => times * power);
  const fits = round.find((size) => end / size <= most + 1e-9) ?? 10 * power;
  const step = whole ? Math.max(1, fits) : fits;
  return Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, i) => i * step);
}

/** A time of the axis in words: seconds, or, without an end in seconds, the share of the run. */
export function moment(t: number, seconds: number | null): string {
  if (seconds === null) {
    return `${Number((t * 100).toFixed(1))}%`;
  }
  return `${Number(t.toFixed(seconds < 10 ? 2 : 1))} s`;
}

/** Where a slider ends that is to show a number: doubled until there is room. */
export function roomFor(value: number, far: number): number {
  let end = far;
  while (end < value && end < 1e15) {
    end *= 2;
  }
  return end;
}
