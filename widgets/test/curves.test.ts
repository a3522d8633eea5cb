import { describe, expect, it } from "vitest";
import { indexAt, peak, Smooth, span, steps, thinned } from "../src/pure/curves.ts";

function smoothed(over: number, ...batches: number[][]): number[] {
  const smooth = new Smooth(over);
  const all: number[] = [];
  for (const batch of batches) {
    all.push(...batch);
    smooth.follow(all);
  }
  return smooth.values;
}

describe("smoothing", () => {
  it("is over a twentieth of a training, of fifty iterations at most", () => {
    expect([1, 10, 60, 200, 5000].map(span)).toEqual([1, 1, 3, 10, 50]);
  });

  it("changes nothing over one value", () => {
    expect(smoothed(1, [3, 1, 2])).toEqual([3, 1, 2]);
  });

  it("begins with the first value and keeps what is constant", () => {
    expect(smoothed(10, [5, 0])[0]).toBe(5);
    for (const value of smoothed(10, Array(30).fill(0.7))) {
      expect(value).toBeCloseTo(0.7, 12);
    }
  });

  it("weighs a value by how long ago it was", () => {
    const keep = 1 - 2 / 4;
    expect(smoothed(3, [1, 2, 4])[2]).toBeCloseTo(
      (4 + keep * 2 + keep ** 2 * 1) / (1 + keep + keep ** 2),
      12,
    );
  });

  it("is the same however the values come in", () => {
    const values = Array.from({ length: 50 }, (_, at) => Math.sin(at));
    const parts = [values.slice(0, 1), [], values.slice(1, 33), values.slice(33)];
    expect(smoothed(10, ...parts)).toEqual(smoothed(10, values));
  });

  it("has a gap where there is no number, and goes on after it", () => {
    expect(smoothed(3, [1, Number.NaN, 1])).toEqual([1, Number.NaN, 1]);
  });
});

describe("a step curve", () => {
  const [times, counts] = [
    [0, 1, 4],
    [1, 3, 0],
  ];

  it("stays until the next time, and until the end", () => {
    expect(steps(times, counts, 5, 3)).toBe("M0 2H1L1 0H4L4 3H5");
    expect(steps([], [], 5, 3)).toBe("");
  });

  it("never goes back, though its end is behind it", () => {
    expect(steps([0, 2], [1, 0], 1, 1)).toBe("M0 0H2L2 1H2");
  });

  it("knows the step of a time", () => {
    expect([-1, 0, 0.9, 1, 3.9, 4, 99].map((t) => indexAt(times, t))).toEqual([
      -1, 0, 0, 1, 1, 2, 2,
    ]);
  });

  it("has a peak, when it was reached first", () => {
    expect(peak([0, 1, 2, 3], [1, 3, 2, 3])).toEqual({ t: 1, count: 3 });
    expect(peak([], [])).toBeNull();
  });
});

describe("thinning", () => {
  const xs = Array.from({ length: 5000 }, (_, at) => at + 1);
  const noise = xs.map((x) => Math.sin(x * x));

  it("leaves alone what a screen can show", () => {
    const columns = [xs.slice(0, 1600), noise];
    expect(thinned(columns)).toBe(columns);
  });

  it("keeps the extremes, the ends and the order of a longer line", () => {
    const spike = noise.map((value, at) => (at === 3210 ? 9 : at === 3211 ? -9 : value));
    const [shown = [], line = []] = thinned([xs, spike]) as number[][];
    expect(shown.length).toBeLessThanOrEqual(1600);
    expect(line).toHaveLength(shown.length);
    expect([shown[0], shown.at(-1)]).toEqual([1, 5000]);
    expect(shown.every((x, at) => at === 0 || x >= (shown[at - 1] as number))).toBe(true);
    expect([Math.max(...line), Math.min(...line)]).toEqual([9, -9]);
    expect(line.indexOf(9)).toBeLessThan(line.indexOf(-9));
    expect(line.every((value) => spike.includes(value))).toBe(true);
  });

  it("ends where a line ends, and keeps its gaps", () => {
    const [, short, none, gap] = thinned([
      xs,
      noise.slice(0, 80),
      [],
      xs.map((x) => (x < 4000 ? null : x)),
    ]);
    expect(short).toHaveLength(20);
    expect(none).toEqual([]);
    expect(gap?.[0]).toBeNull();
    expect(gap?.at(-1)).toBe(5000);
  });
});
