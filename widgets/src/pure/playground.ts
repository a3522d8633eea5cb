// What the page of the playground knows: a training, earlier ones, and the schedules as they are set.

import { type Plan, planOf, same } from "./anneal.ts";
import type { Training } from "./scene.ts";

export type Reward = "parallel" | "finish";
export const REWARDS: readonly Reward[] = ["parallel", "finish"];

/** Means over the last iterations, `over` so many; empty before there are any. */
export type CameTo = Partial<Record<string, number | null>>;

export interface Earlier {
  run: number;
  /** Its schedules in words. */
  label: string;
  came_to: CameTo;
  rewards: Training;
}

/** The schedules and what they make of the iterations. */
export interface Setting {
  schedules: Record<Reward, Plan>;
  /** λ_parallel and λ_finish of every iteration, those to come too; null where the log does not tell. */
  lambdas: ([number, number] | null)[];
  /** Of the iterations that were, re-weighed; none while it is running. */
  totals: (number | null)[];
}

export interface State extends Setting {
  /** Which training of the session; 0 before the first. */
  run: number;
  /** How many iterations are in it. */
  to: number;
  running: boolean;
  /** Whether the kernel can begin one. */
  trains: boolean;
  /** Under which schedules it was or is trained, in words. */
  recorded: string;
  /** How far the recorded total is at most from the formula. */
  misfit: number;
  came_to: CameTo;
  /** Of the session, the latest last. */
  earlier: Earlier[];
  training: Training | null;
  /** Told to the kernel here, which has not said so yet: a slow one answers earlier moves first. */
  awaited: Partial<Record<Reward, Plan>>;
}

export type Message =
  | ({ kind: "all"; run: number; rewards: Training | null } & Omit<State, "training" | "awaited">)
  | ({ kind: "set"; run: number } & Setting)
  | Rows
  | { kind: "told"; text: string };

/** What has happened since the last one. */
export interface Rows {
  kind: "rows";
  run: number;
  from: number;
  to: number;
  recorded: string;
  came_to: CameTo;
  rewards: Training;
}

export type Question =
  | { kind: "sync" }
  | { kind: "set"; schedules: Partial<Record<Reward, Plan>> }
  | { kind: "train"; schedules: Record<Reward, Plan> }
  | { kind: "stop" };

export function nothing(): State {
  return {
    run: 0,
    to: 0,
    running: false,
    trains: false,
    recorded: "",
    misfit: 0,
    came_to: {},
    earlier: [],
    training: null,
    awaited: {},
    schedules: { parallel: [0, 0, "constant", 1], finish: [0, 0, "constant", 1] },
    lambdas: [],
    totals: [],
  };
}

/** Take a message in. False: one before it is missing, and all is to be asked for. */
export function take(state: State, message: Exclude<Message, { kind: "told" }>): boolean {
  switch (message.kind) {
    case "all": {
      const { kind: _kind, rewards, ...rest } = message;
      const own = {
        schedules: { ...rest.schedules },
        awaited: {},
        training: rewards && { ...rewards, rows: [...rewards.rows] },
      };
      Object.assign(state, rest, own); // another place in the page hears the same message
      setting(state, message);
      return true;
    }
    case "set":
      if (message.run === state.run) {
        setting(state, message);
      }
      return message.run === state.run;
    case "rows":
      return grow(state, message);
  }
}

function setting(state: State, given: Setting): void {
  state.lambdas = given.lambdas;
  state.totals = given.totals;
  for (const reward of REWARDS) {
    const found = planOf(given.schedules[reward]) ?? state.schedules[reward];
    const awaited = state.awaited[reward];
    if (awaited === undefined || same(found, awaited)) {
      state.schedules[reward] = found;
      delete state.awaited[reward];
    }
  }
}

function grow(state: State, message: Rows): boolean {
  if (message.run !== state.run || message.from > state.to) {
    return false;
  }
  if (message.from === state.to) {
    const rows = state.training?.rows ?? [];
    for (const row of message.rewards.rows) {
      rows.push(row); // more of them than a call can have arguments
    }
    state.training = { ...message.rewards, rows };
    state.to = message.to;
    state.recorded = message.recorded;
    state.came_to = message.came_to;
  }
  return true;
}

/** One column of a training; NaN is what the log does not tell. */
export function column(training: Training, name: string): number[] {
  const place = training.columns.indexOf(name);
  return training.rows.map((row) => number(row[place]));
}

export function number(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : Number.NaN;
}

export function figure(value: number, digits = 2, unit = ""): string {
  return Number.isNaN(value) ? "–" : value.toFixed(digits) + unit;
}

/** total = one + two + perf, each as it is written. */
export interface Sum {
  total: string;
  parallel: string;
  finish: string;
  perf: string;
  /** Whether it adds up to what was recorded. */
  exact: boolean;
}

const ROUGH = 0.005;

/** The reward of an iteration, by its index, as the policy was paid. */
export function paid(training: Training, index: number): Sum {
  const [one, two, total] = ["lambda_parallel", "lambda_finish", "total"].map((name) =>
    cell(training, index, name),
  );
  return sum(training, index, one ?? Number.NaN, two ?? Number.NaN, total ?? Number.NaN);
}

/** The same under the weights that are set; null where they do not differ or nobody knows. */
export function reweighed(state: State, index: number): Sum | null {
  const { training, lambdas, totals } = state;
  const weights = lambdas[index];
  if (training === null || !weights || !(index in totals)) {
    return null;
  }
  const now = sum(training, index, weights[0], weights[1], number(totals[index]));
  const was = paid(training, index);
  const changed = (["total", "parallel", "finish"] as const).some(
    (part) => now[part] !== was[part],
  );
  return changed ? now : null;
}

function cell(training: Training, index: number, name: string): number {
  return number(training.rows[index]?.[training.columns.indexOf(name)]);
}

function sum(training: Training, index: number, one: number, two: number, total: number): Sum {
  const [parallel, finish, perf] = ["r_parallel", "r_finish", "r_perf"].map((name) =>
    cell(training, index, name),
  ) as [number, number, number];
  const formula = one * parallel + two * finish + perf;
  return {
    total: figure(total),
    parallel: `${figure(one)}·${figure(parallel)}`,
    finish: `${figure(two)}·${figure(finish)}`,
    perf: figure(perf),
    exact: !(Math.abs(formula - total) > ROUGH),
  };
}

/** As ["total 0.62", "=", "0.18·0.40", "+", "0.00·0.95", "+", "0.55"]. */
export function parts({ total, parallel, finish, perf, exact }: Sum): string[] {
  return [`total ${total}`.trim(), exact ? "=" : "≠", parallel, "+", finish, "+", perf];
}

/** Without a line break between a number and its unit. */
export function unbroken(text: string): string {
  return text.replaceAll(" %", "\u00a0%");
}

/** What moving a slider does just now, in words. */
export function meaning(state: State): string {
  if (state.training === null) {
    return "No training yet: set the two λ, then press Train.";
  }
  if (state.running) {
    return "A slider changes its λ from the next iteration on. Dashed: λ as it is set for the iterations to come.";
  }
  const under =
    state.recorded === ""
      ? "the recorded λ"
      : `the recorded schedule (${unbroken(state.recorded)})`;
  const again = state.trains
    ? " Train begins a new training under the schedules as they are set."
    : "";
  return (
    `These components were produced by the policy that was trained under ${under}. Moving a slider ` +
    "re-weighs the same components and does not retrain: another λ would have taught another policy. " +
    `λ and total: solid as recorded, dashed as set.${again}`
  );
}

/** Why re-weighed totals do not compare with the recorded ones; "" where they do. */
export function doubt(state: State): string {
  return state.misfit > ROUGH
    ? `The recorded total is not λ_parallel·r_parallel + λ_finish·r_finish + r_perf (it is off by up to ${figure(state.misfit)}): ` +
        "the policy was paid by another formula, and re-weighed totals do not compare with it."
    : "";
}

/** The lines of what is set, where it differs from what was: dashed beside the recorded ones. */
export function dashed(state: State): Dashed {
  const { training, lambdas, totals, running, to } = state;
  if (training === null) {
    return {};
  }
  const found: Dashed = {};
  for (const [place, name] of (["lambda_parallel", "lambda_finish"] as const).entries()) {
    const set = lambdas.map((pair, at) =>
      pair === null || (running && at < to) ? null : (pair[place] ?? null),
    );
    if (running || differ(column(training, name), set)) {
      found[name] = set;
    }
  }
  if (!running && differ(column(training, "total"), totals)) {
    found.total = totals;
  }
  return found;
}

export interface Dashed {
  total?: (number | null)[];
  lambda_parallel?: (number | null)[];
  lambda_finish?: (number | null)[];
}

/** Far less than what one could see. */
const EXACT = 1e-4;

function differ(was: readonly number[], now: readonly (number | null)[]): boolean {
  return now.some(
    (value, at) => value !== null && Math.abs(value - (was[at] ?? Number.NaN)) > EXACT,
  );
}
