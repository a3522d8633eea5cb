// Lines over an axis: smoothing, steps, the largest of them. Nothing is drawn here.

/** A smoothed line averages over about this part of a training, but over no more iterations than
 * these: it would come late to what happens at once. */
const PART = 1 / 20;
const LONGEST = 50;
/** Points of a line at most: no screen shows more. */
const POINTS = 1600;

/** Over about how many iterations a training of so many is smoothed; 1 is not at all. */
export function span(iterations: number): number {
  return Math.min(Math.max(1, Math.round(iterations * PART)), LONGEST);
}

/**
 * Exponential moving average over about `span` values, without a pull towards its beginning: the
 * first is the first value. It goes on where it was left: values may be added, none may change. A
 * value that is not a number is a gap, and counts for nothing.
 */
export class Smooth {
  readonly values: number[] = [];
  readonly #keep: number;
  #sum = 0;
  #weight = 0;

  constructor(span: number) {
    this.#keep = 1 - 2 / (span + 1);
  }

  /** Take in what `values` has more than before. */
  follow(values: readonly number[]): void {
    for (const value of values.slice(this.values.length)) {
      if (Number.isNaN(value)) {
        // a gap, which the values after it do not feel
        this.values.push(value);
        continue;
      }
      if (Number.isNaN(value)) {
        this.values.push(value);
        continue;
      }
      this.#sum = this.#keep * this.#sum + value;
      this.#weight = this.#keep * this.#weight + 1;
      this.values.push(this.#sum / this.#weight);
    }
  }
}

/** Index of the last of `times` at or before `t`; -1 if there is none. */
export function indexAt(times: readonly number[], t: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] as number) <= t) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low - 1;
}

/**
 * A step curve until `end` as the data of an SVG path. x is in the unit of `times`; y grows
 * downwards, and `most` is at 0.
 */
export function steps(
  times: readonly number[],
  counts: readonly number[],
  end: number,
  most: number,
): string {
  return times
    .map((t, at) => {
      const y = fine(most - (counts[at] ?? 0));
      const until = fine(Math.max(times[at + 1] ?? end, t));
      return `${at === 0 ? "M" : "L"}${fine(t)} ${y}H${until}`;
    })
    .join("");
}

function fine(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}

export interface Peak {
  t: number;
  count: number;
}

/** The largest of the counts and when it was first reached; null if there is none. */
export function peak(times: readonly number[], counts: readonly number[]): Peak | null {
  let found: Peak | null = null;
  for (const [at, count] of counts.entries()) {
    if (found === null || count > found.count) {
      found = { t: times[at] ?? 0, count };
    }
  }
  return found;
}

type Column = readonly (number | null | undefined)[];

/**
 * Columns of the same rows with fewer of them, the first column being xs. Of neighbouring rows two
 * are left, which have the smallest and the largest value of each line, in their order: what
 * stands out still does.
 */
export function thinned(columns: readonly Column[]): readonly Column[] {
  const [xs = [], ...lines] = columns;
  if (xs.length <= POINTS) {
    return columns;
  }
  const size = 2 ** Math.ceil(Math.log2(xs.length / (POINTS / 2)));
  const number = Math.ceil(xs.length / size);
  const kept: Column = Array.from({ length: 2 * number }, (_, at) => {
    const last = at % 2 === 0 ? 0 : size - 1;
    return xs[Math.min((at >> 1) * size + last, xs.length - 1)];
  });
  return [kept, ...lines.map((line) => extremes(line, size))];
}

function extremes(line: Column, size: number): Column {
  const found: (number | null | undefined)[] = [];
  for (let from = 0; from < line.length; from += size) {
    const until = Math.min(from + size, line.length);
    let [low, high] = [from, from];
    for (let at = from + 1; at < until; at += 1) {
      const value = line[at] ?? Number.NaN;
      low = value < (line[low] ?? Number.POSITIVE_INFINITY) ? at : low;
      high = value > (line[high] ?? Number.NEGATIVE_INFINITY) ? at : high;
    }
    found.push(line[Math.min(low, high)], line[Math.max(low, high)]);
  }
  return found;
}
