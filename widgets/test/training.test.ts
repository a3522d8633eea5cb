import { describe, expect, it } from "vitest";
import type { Schedule, Training } from "../src/pure/scene.ts";
import {
  Columns,
  PANELS,
  replaced,
  schedules,
  status,
  summary,
  tell,
} from "../src/pure/training.ts";

const COLUMNS = ["iteration", "r_perf", "critical_steps", "total_steps", "sub_agents", "success"];

function training(rows: number, change: Partial<Training> = {}): Training {
  return {
    what: "A policy.",
    seed: 7,
    iterations: 200,
    status: "running",
    why: "",
    schedules: [["parallel", 0.3, 0, "linear", 0.7, 1]],
    columns: COLUMNS,
    rows: Array.from({ length: rows }, (_, at) => [
      at + 1,
      at / 100,
      30 - at / 10,
      30 + at,
      at / 20,
      0.5,
    ]),
    ...change,
  };
}

describe("columns", () => {
  it("grow with the rows of the same training", () => {
    const columns = new Columns();
    const one = training(3);
    columns.follow(one);
    const raw = columns.raw("r_perf");
    one.rows.push(...training(5).rows.slice(3));
    columns.follow({ ...one });
    expect(columns.raw("r_perf")).toBe(raw);
    expect(raw).toEqual([0, 0.01, 0.02, 0.03, 0.04]);
    expect(columns.smooth("r_perf")).toHaveLength(5);
    expect(columns.rows).toBe(5);
  });

  it("begin anew with another training", () => {
    const columns = new Columns();
    columns.follow(training(9));
    columns.follow(training(2, { iterations: 1000 }));
    expect(columns.raw("iteration")).toEqual([1, 2]);
    expect(columns.span).toBe(50);
    columns.follow(training(5, { iterations: 1000, rows: [4, 5, 6].map((at) => [at]) }));
    expect(columns.raw("iteration")).toEqual([4, 5, 6]);
  });

  it("are empty where there is none of that name", () => {
    const columns = new Columns();
    columns.follow(training(2));
    expect(columns.raw("r_parallel")).toEqual([]);
    expect(columns.smooth("r_parallel")).toEqual([]);
  });
});

describe("words", () => {
  it.each<[number | null | undefined, "" | "%", string]>([
    [0.8267, "", "0.83"],
    [18.25, "", "18.3"],
    [49, "", "49.0"],
    [12_345.6, "", "12,346"],
    [0.934, "%", "93 %"],
    [-0.5, "", "-0.50"],
    [undefined, "", "–"],
    [null, "%", "–"],
    [Number.NaN, "", "–"],
  ])("%s%s is %s", (value, unit, told) => {
    expect(tell(value, unit)).toBe(told);
  });

  it("say how far it is, with which seed", () => {
    expect(status(training(120))).toBe("● running · iteration 120 of 200 · seed 7");
  });

  it("tell the schedules, of many the latest", () => {
    expect(schedules(training(1))).toEqual([
      "λ_parallel 0.3 → 0, linear until 70 % of the training",
    ]);
    const set = Array.from(
      { length: 7 },
      (_, at): Schedule => ["finish", at, at, "constant", 1, at + 1],
    );
    const told = schedules(training(1, { schedules: set }));
    expect(told[0]).toBe("3 earlier");
    expect(told.slice(1)).toHaveLength(4);
    expect(told.at(-1)).toBe("λ_finish 6 constant, from iteration 7 (dotted line)");
  });

  it("know where a schedule was replaced: not at the beginning, and each place once", () => {
    const set: Schedule[] = [1, 1, 34, 34, 60].map((since) => [
      "parallel",
      1,
      0,
      "linear",
      1,
      since,
    ]);
    expect(replaced(training(1, { schedules: set }))).toEqual([34, 60]);
  });

  it("compare the beginning with now", () => {
    const columns = new Columns();
    columns.follow(training(1));
    expect(summary(columns)).toBe("");
    columns.follow(training(2));
    expect(summary(columns)).toMatch(
      /^From the first iteration to the latest: r_perf 0\.00 → 0\.01, /,
    );
    const many = new Columns();
    many.follow(training(100));
    expect(summary(many)).toBe(
      "From the first 10 iterations to the latest 10: r_perf 0.05 → 0.95, critical steps 29.6 → 20.6, " +
        "total steps 34.5 → 124.5, sub-agents 0.23 → 4.73, success 50 % → 50 %.",
    );
  });
});

it("draws every column once", () => {
  const drawn = PANELS.flatMap((panel) => panel.series.map((series) => series.column));
  expect(new Set(drawn).size).toBe(drawn.length);
  expect(drawn).toHaveLength(10);
});
