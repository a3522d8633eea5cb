import { expect, it } from "vitest";
import { limits } from "../src/pure/limits.ts";
import type { BudgetRow, Run } from "../src/pure/scene.ts";

function of(...budget: BudgetRow[]) {
  return limits({ budget } as unknown as Run);
}

it("says what is spent and what is left, in the unit of each limit", () => {
  const all = of(
    ["usd", 2, 0.125],
    ["seconds", 600, 40.8],
    ["tokens", 4_000_000, 281_760],
    ["critical steps", 60, 19],
    ["steps", 1000, 365],
    ["agents", 110, 50],
  );
  expect(all.map(({ what, spent, left }) => [what, spent, left])).toEqual([
    ["Critical steps", "19 of 60 critical steps", "41 left"],
    ["Steps", "365 of 1,000 steps", "635 left"],
    ["Agents", "50 of 110 agents", "60 left"],
    ["Tokens", "281,760 of 4,000,000 tokens", "3,718,240 left"],
    ["Time", "40.8 of 600 s", "559.2 s left"],
    ["Cost", "$0.13 of $2.00", "$1.88 left"],
  ]);
  expect(all.map(({ share }) => share)[0]).toBeCloseTo(19 / 60);
  expect(all.every(({ mark }) => mark === "")).toBe(true);
});

it.each<[number, string, string, number]>([
  [89, "", "11 left", 0.89],
  [90, "tight", "▲ only 10 left", 0.9],
  [100, "tight", "▲ all used", 1],
  [103, "out", "✗ 3 over", 1],
])("%i of 100: %s", (spent, mark, left, share) => {
  expect(of(["steps", 100, spent])[0]).toMatchObject({ mark, left, share });
});

it("bears a limit that it does not know, one of nothing, and none", () => {
  expect(of(["rounds", 3, 1])[0]).toMatchObject({
    what: "Rounds",
    spent: "1 of 3 rounds",
    left: "2 left",
  });
  expect(of(["agents", 0, 0])[0]).toMatchObject({
    spent: "0 of 0 agents",
    left: "▲ all used",
    share: 1,
  });
  expect(of()).toEqual([]);
});
