import { describe, expect, it } from "vitest";
import {
  moment,
  pointsOf,
  press,
  roomFor,
  spotAt,
  staircase,
  stroke,
  ticks,
} from "../src/pure/curve.ts";

describe("a stroke", () => {
  it("leaves no column out, in either direction", () => {
    for (const [from, to] of [
      [1, 7],
      [7, 1],
    ] as const) {
      const heights = new Array<number>(9).fill(0);
      stroke(heights, { column: from, height: 2 }, { column: to, height: 8 });
      expect(heights.map((height) => height > 0)).toEqual([
        false,
        true,
        true,
        true,
        true,
        true,
        true,
        true,
        false,
      ]);
      expect([heights[from], heights[4], heights[to]]).toEqual([2, 5, 8]);
    }
  });

  it("of one spot sets one column", () => {
    const heights = [0, 0, 0];
    stroke(heights, { column: 1, height: 4 }, { column: 1, height: 5 });
    expect(heights).toEqual([0, 5, 0]);
  });
});

describe("the pointer", () => {
  it("stays on the board, wherever it is", () => {
    expect(spotAt(-1, -1, 40, 8)).toEqual({ column: 0, height: 8 });
    expect(spotAt(2, 2, 40, 8)).toEqual({ column: 39, height: 0 });
    expect(spotAt(0.5, 0.5, 40, 8)).toEqual({ column: 20, height: 4 });
    expect(spotAt(1, 0, 40, 8)).toEqual({ column: 39, height: 8 });
  });
});

describe("the keyboard", () => {
  it("draws whatever the pointer can draw", () => {
    const wanted = [3, 0, 8, 8, 1];
    const heights = new Array<number>(5).fill(0);
    const pen = { column: 0, carry: false };
    for (const height of wanted) {
      for (let i = 0; i < height; i++) {
        press("ArrowUp", heights, pen, 8);
      }
      press("ArrowRight", heights, pen, 8);
    }
    expect(heights).toEqual(wanted);
  });

  it("stays on the board", () => {
    const heights = [0, 0];
    const pen = { column: 0, carry: false };
    press("ArrowLeft", heights, pen, 3);
    press("ArrowDown", heights, pen, 3);
    press("PageDown", heights, pen, 3);
    expect([pen.column, heights]).toEqual([0, [0, 0]]);
    press("End", heights, pen, 3);
    for (let i = 0; i < 9; i++) {
      press("ArrowRight", heights, pen, 3);
      press("PageUp", heights, pen, 3);
    }
    expect([pen.column, heights]).toEqual([1, [0, 3]]);
  });

  it("carries a height along", () => {
    const heights = [5, 0, 1, 0];
    const pen = { column: 0, carry: true };
    press("ArrowRight", heights, pen, 8);
    expect(heights).toEqual([5, 5, 1, 0]);
    press("End", heights, pen, 8);
    expect(heights).toEqual([5, 5, 5, 5]);
  });

  it("leaves other keys to the page", () => {
    for (const key of ["Tab", "Enter", "a", "Escape", "toString"]) {
      const heights = [1, 2];
      expect(press(key, heights, { column: 0, carry: false }, 3)).toBe(false);
      expect(heights).toEqual([1, 2]);
    }
  });
});

describe("a curve of steps", () => {
  it("begins at the begin of the axis, one step for each column", () => {
    expect(pointsOf([1, 2, 2, 0], 8)).toEqual([
      [0, 1],
      [2, 2],
      [4, 2],
      [6, 0],
    ]);
  });

  it("is a path of right angles, until its end", () => {
    const path = staircase(
      [
        [0, 1],
        [2, 3],
      ],
      4,
      (t) => t * 10,
      (n) => 100 - n,
    );
    expect(path).toBe("M0.00 99.00H20.00V97.00H40.00");
    expect(
      staircase(
        [],
        4,
        (t) => t,
        (n) => n,
      ),
    ).toBe("");
  });
});

describe("an axis", () => {
  it("has few round steps, the first at 0, none beyond the end", () => {
    for (const end of [0.01, 0.7, 1, 3, 16, 20, 36.1, 999, 1e7]) {
      const found = ticks(end, 5, false);
      expect(found[0]).toBe(0);
      expect(found.length).toBeGreaterThan(2);
      expect(found.length).toBeLessThanOrEqual(6);
      expect(found.at(-1)).toBeLessThanOrEqual(end * 1.000_001);
    }
    expect(ticks(1, 5, false).map((t) => moment(t, null))).toEqual([
      "0%",
      "20%",
      "40%",
      "60%",
      "80%",
      "100%",
    ]);
  });

  it("of agents has whole numbers", () => {
    expect(ticks(1, 4, true)).toEqual([0, 1]);
    expect(ticks(3, 4, true)).toEqual([0, 1, 2, 3]);
    expect(ticks(0, 4, true)).toEqual([0]);
  });

  it("says its unit", () => {
    expect(moment(0.125, null)).toBe("12.5%");
    expect(moment(12.5, 20)).toBe("12.5 s");
    expect(moment(0.25, 2)).toBe("0.25 s");
  });
});

describe("a slider", () => {
  it("grows until a number has room", () => {
    expect(roomFor(12, 40)).toBe(40);
    expect(roomFor(41, 40)).toBe(80);
    expect(roomFor(1e12, 40)).toBeGreaterThanOrEqual(1e12);
    expect(roomFor(-5, 40)).toBe(40);
  });
});
