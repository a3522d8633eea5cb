// λ on the page is λ in the kernel: tests/test_anneal.py writes anneal.json.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { at, type Plan, PRESETS, path, planOf, same, told } from "../src/pure/anneal.ts";

interface Known {
  plan: Plan;
  told: string;
  at: [number, number][];
}

const KNOWN = JSON.parse(
  readFileSync(new URL("./anneal.json", import.meta.url), "utf8"),
) as Known[];

test("there is every shape among what is known", () => {
  expect(new Set(KNOWN.map(({ plan }) => plan[2])).size).toBe(5);
});

test.each(KNOWN)("$told", ({ plan, told: words, at: values }) => {
  expect(told(plan)).toBe(words);
  for (const [progress, value] of values) {
    expect(at(plan, progress)).toBeCloseTo(value, 8);
  }
});

test("a path goes from the start to the end of its box", () => {
  expect(path([0.5, 0, "linear", 1], 100, 50, 0.5)).toMatch(/^M0\.0 0\.0L.*L100\.0 50\.0$/);
  expect(path([0.5, 0, "step", 0.4], 100, 50, 0.5)).toBe("M0 0.0H40.0V50.0H100");
  expect(path([0.5, 0, "step", 1], 100, 50, 0.5)).toBe("M0 0.0H100.0V50.0");
});

test.each([
  null,
  "x",
  [0.3, 0, "linear"],
  [0.3, 0, "line", 1],
  [0.3, null, "linear", 1],
  ["0.3", 0, "linear", 1],
])("%j is no plan", (value) => {
  expect(planOf(value)).toBeNull();
});

test("presets are plans, named after what they set", () => {
  expect(PRESETS.map(({ name }) => name)).toEqual([
    "no auxiliary reward: λ = 0",
    "published 0.1 → 0",
    "0.3 → 0",
    "0.5 constant",
  ]);
  for (const { parallel, finish } of PRESETS) {
    expect(planOf([...parallel])).toEqual(parallel);
    expect(same(finish, [0, 0, "constant", 1])).toBe(true);
  }
  expect(PRESETS.map(({ parallel }) => parallel[0])).toEqual([0, 0.1, 0.3, 0.5]);
});
