// Lines over an axis: smoothing, steps, round numbers. Nothing is drawn here.

const ROUND = [1, 2, 2.5, 5, 10];
/** A smoothed line averages over about so much of a training. */
const PART = 20;

/** Over about how many iterations a training of so many is smoothed; 1 is not at all. */
export function span(iterations: number): number {
  return Math.max(1, Math.round(iterations / PART));
}

/**
 * Exponential moving average over about `span` values, without a pull towards its beginning: the
 * first is the first value. It goes on where it was left: values may be added, none may change.
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
      if (Number.isNaN(value)) { // a gap, which the values after it do not feel
        this.values.push(value);
        continue;
      }
      this.#sum = this.#keep * this.#sum + value;
      this.#weight = this.#keep * this.#weight + 1;
      this.values.push(this.#sum / this.#weight);
    }
  }
}

/** Where an axis that has to show up to `value` ends: at a round number, at least `least`. */
export function ceiling(value: number, least: number): number {
  const wanted = Math.max(value, least);
  const size = 10 ** Math.floor(Math.log10(wanted));
  const fitting = ROUND.find((number) => number * size >= wanted * (1 - 1e-9)) ?? 10;
  return fitting * size;
}

/** Round numbers from 0 to `end` in steps that leave at most so many intervals. */
export function ticks(end: number, intervals: number): number[] {
  if (!(end > 0) || intervals < 1) {
    return [0];
  }
  const step = ceiling(end / intervals, end / intervals);
  const number = Math.floor(end / step + 1e-9);
  return Array.from({ length: number + 1 }, (_, at) => Number((at * step).toPrecision(12)));
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
 * A step curve as the data of an SVG path, closed along the zero line. x is in the unit of
 * `times`, y grows downwards from 0, the largest count that is shown.
 */
export function area(
  times: readonly number[],
  counts: readonly number[],
  end: number,
  most: number,
): string {
  const parts = [`M0 ${most}`];
  for (let at = 0; at < times.length; at += 1) {
    const until = times[at + 1] ?? end;
    parts.push(`L${fine(times[at] ?? 0)} ${fine(most - (counts[at] ?? 0))}H${fine(until)}`);
  }
  return `${parts.join("")}V${most}Z`;
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
