// What the playground makes of the kernel's messages, and the words and numbers that it puts beside.

import { expect, test } from "vitest";
import type { Plan } from "../src/pure/anneal.ts";
import {
  column,
  dashed,
  doubt,
  type Message,
  meaning,
  nothing,
  paid,
  parts,
  type Rows,
  reweighed,
  type State,
  take,
} from "../src/pure/playground.ts";
import type { Training } from "../src/pure/scene.ts";

const COLUMNS = [
  "iteration",
  "lambda_parallel",
  "lambda_finish",
  "r_parallel",
  "r_finish",
  "r_perf",
  "total",
];
const HALF: Plan = [0.5, 0.5, "constant", 1];
const OFF: Plan = [0, 0, "constant", 1];

function training(...rows: number[][]): Training {
  return {
    what: "",
    seed: 0,
    iterations: 4,
    status: "running",
    why: "",
    schedules: [],
    columns: COLUMNS,
    rows,
  };
}

const ONE = [1, 0.18, 0, 0.4, 0.95, 0.55, 0.622];
const TWO = [2, 0.1, 0, 0.5, 0.95, 0.5, 0.55];

function all(more: Partial<Message & { kind: "all" }> = {}): Message & { kind: "all" } {
  return {
    kind: "all",
    run: 1,
    to: 2,
    running: false,
    trains: false,
    recorded: "λ_parallel 0.2 → 0, linear until 100 %",
    misfit: 0,
    came_to: {},
    earlier: [],
    schedules: { parallel: HALF, finish: OFF },
    lambdas: [
      [0.5, 0],
      [0.5, 0],
    ],
    totals: [0.75, 0.75],
    rewards: training([...ONE], [...TWO]),
    ...more,
  };
}

function state(more: Partial<Message & { kind: "all" }> = {}): State {
  const made = nothing();
  expect(take(made, all(more))).toBe(true);
  return made;
}

test("two places that hear the same messages both have each row once", () => {
  const [one, two] = [nothing(), nothing()];
  const rows: Rows = {
    kind: "rows",
    run: 1,
    from: 2,
    to: 3,
    recorded: "",
    came_to: {},
    rewards: training([3]),
  };
  for (const message of [all(), rows]) {
    expect([take(one, message), take(two, message)]).toEqual([true, true]);
  }
  expect([one, two].map((known) => known.training?.rows.length)).toEqual([3, 3]);
});

test("a training is as long as it is", () => {
  const known = state();
  const long = Array.from({ length: 300_000 }, () => [1]);
  const rows: Rows = {
    kind: "rows",
    run: 1,
    from: 2,
    to: 300_002,
    recorded: "",
    came_to: {},
    rewards: training(),
  };
  rows.rewards.rows = long;
  expect(take(known, rows)).toBe(true);
  expect(known.training?.rows.length).toBe(300_002);
});

test("rows are put behind one another, known ones are left out, a gap is told", () => {
  const known = state({ running: true });
  const rows = (from: number, to: number, ...found: number[][]): Rows => ({
    kind: "rows",
    run: 1,
    from,
    to,
    recorded: "",
    came_to: {},
    rewards: training(...found),
  });
  expect(take(known, rows(2, 3, [3, 0, 0, 0, 0, 0.5, 0.5]))).toBe(true);
  expect(take(known, rows(2, 3, [3, 0, 0, 0, 0, 0.5, 0.5]))).toBe(true);
  expect(column(known.training as Training, "iteration")).toEqual([1, 2, 3]);
  expect(take(known, rows(4, 5, [5, 0, 0, 0, 0, 0.5, 0.5]))).toBe(false);
  expect(take(known, { ...rows(3, 4), run: 2 })).toBe(false);
  expect(known.to).toBe(3);
});

test("another training takes the place of the one before", () => {
  const known = state();
  take(known, all({ run: 2, to: 0, rewards: training() }));
  expect(known.training?.rows).toEqual([]);
  expect(
    take(known, {
      kind: "set",
      run: 1,
      schedules: { parallel: OFF, finish: OFF },
      lambdas: [],
      totals: [],
    }),
  ).toBe(false);
  expect(known.schedules.parallel).toEqual(HALF);
});

test("the reward is written with its numbers", () => {
  const { training: found } = state();
  expect(parts(paid(found as Training, 0)).join(" ")).toBe(
    "total 0.62 = 0.18·0.40 + 0.00·0.95 + 0.55",
  );
});

test("a total by another formula is no sum, and what is not known is a dash", () => {
  const odd = training([1, 0.18, 0, 0.4, 0.95, 0.55, 0.9], [
    2,
    0.1,
    null,
    0.5,
    null,
    0.5,
    null,
  ] as number[]);
  expect(parts(paid(odd, 0)).join(" ")).toBe("total 0.90 ≠ 0.18·0.40 + 0.00·0.95 + 0.55");
  expect(parts(paid(odd, 1)).join(" ")).toBe("total – = 0.10·0.50 + –·– + 0.50");
  expect(doubt(state({ misfit: 0.12 }))).toContain("off by up to 0.12");
  expect(doubt(state({ misfit: 0.001 }))).toBe("");
});

test("what is set stands beside what was where it differs", () => {
  const known = state();
  expect(parts(reweighed(known, 0) as never).join(" ")).toBe(
    "total 0.75 = 0.50·0.40 + 0.00·0.95 + 0.55",
  );
  expect(dashed(known)).toEqual({ lambda_parallel: [0.5, 0.5], total: [0.75, 0.75] });
  const same = state({
    lambdas: [
      [0.18, 0],
      [0.1, 0],
    ],
    totals: [0.622, 0.55],
  });
  expect(reweighed(same, 0)).toBeNull();
  expect(dashed(same)).toEqual({});
});

test("while it runs, what is set is for the iterations to come", () => {
  const known = state({ running: true, totals: [], lambdas: [[0.5, 0], [0.5, 0], [0.5, 0], null] });
  expect(dashed(known)).toEqual({
    lambda_parallel: [null, null, 0.5, null],
    lambda_finish: [null, null, 0, null],
  });
  expect(reweighed(known, 0)).toBeNull();
});

test("it says in words what a slider does", () => {
  expect(meaning(nothing())).toContain("press Train");
  expect(meaning(state({ running: true }))).toContain("from the next iteration on");
  const told = meaning(state());
  expect(told).toContain(
    "trained under the recorded schedule (λ_parallel 0.2 → 0, linear until 100\u00a0%)",
  );
  expect(told).toContain("re-weighs the same components and does not retrain");
  expect(told).not.toContain("Train begins");
  expect(meaning(state({ trains: true }))).toContain("Train begins a new training");
});

test("schedules that are none leave the sliders where they are", () => {
  const known = state();
  const odd = { parallel: "x", finish: null } as never;
  take(known, { kind: "set", run: 1, schedules: odd, lambdas: [], totals: [] });
  expect(known.schedules).toEqual({ parallel: HALF, finish: OFF });
});

test("a slow kernel's answer to an earlier move does not move the sliders back", () => {
  const state = nothing();
  take(state, all());
  const first: Plan = [0.6, 0.6, "constant", 1];
  const last: Plan = [0.7, 0.7, "constant", 1];
  const said = (parallel: Plan): Message & { kind: "set" } => ({
    kind: "set",
    run: 1,
    schedules: { parallel, finish: OFF },
    lambdas: [],
    totals: [],
  });
  state.schedules.parallel = state.awaited.parallel = last;
  take(state, said(first));
  expect(state.schedules.parallel).toEqual(last);
  take(state, said(last));
  expect(state.schedules.parallel).toEqual(last);
  take(state, said(HALF)); // somebody else sets it
  expect(state.schedules.parallel).toEqual(HALF);
});
