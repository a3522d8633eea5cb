// The stages of a run as rows: who was slowest, who waited for it. Steps come from the kernel.

import type { Agent, Scene, Stage } from "./scene.ts";
import { count, grouped } from "./words.ts";

/** One stage with sub-agents; or several of the main agent alone, one after the other. */
export interface Row {
  /** The same as long as it is the same row. */
  key: string;
  title: string;
  /** Number of stages in it. */
  stages: number;
  main: number;
  /** Steps of the slowest sub-agent. */
  most: number;
  slowest: Agent | null;
  /** Steps of each sub-agent, the largest first. */
  subs: number[];
  /** Critical steps of this row and of all before it. */
  total: number;
  began: number;
  ended: number | null;
  /** Somebody in it is still at work, so its numbers may grow. */
  open: boolean;
}

/** The rows of a run, in the order of their stages. */
export function rows(scene: Scene): Row[] {
  const found: Row[] = [];
  let total = 0;
  for (const stage of scene.stages) {
    if (stage.main_steps === 0 && stage.sub_agents.length === 0) {
      continue; // its first turn is still being written
    }
    total += stage.main_steps + stage.max_sub_steps;
    const before = found.at(-1);
    if (before !== undefined && alone(before) && stage.sub_agents.length === 0) {
      found[found.length - 1] = joined(before, stage, total);
    } else {
      found.push(row(scene, stage, total));
    }
  }
  return found;
}

function alone(row: Row): boolean {
  return row.subs.length === 0;
}

function joined(before: Row, stage: Stage, total: number): Row {
  const first = before.key.slice(before.key.lastIndexOf("/") + 1);
  return {
    ...before,
    title: `Stages ${first}–${stage.number}`,
    stages: before.stages + 1,
    main: before.main + stage.main_steps,
    ended: stage.ended,
    total,
  };
}

function row(scene: Scene, stage: Stage, total: number): Row {
  const agents = stage.sub_agents.flatMap((number) => scene.agents[number] ?? []);
  agents.sort((one, other) => other.steps - one.steps);
  return {
    key: `${stage.parent}/${stage.number}`,
    title: `${stage.parent === "" ? "Level" : "Stage"} ${stage.number}`,
    stages: 1,
    main: stage.main_steps,
    most: stage.max_sub_steps,
    slowest: agents[0] ?? null,
    subs: agents.map((agent) => agent.steps),
    total,
    began: stage.began,
    ended: stage.ended,
    open: agents.some((agent) => agent.ended === null),
  };
}

/** Steps that the other sub-agents took on average; null where there is no other. */
export function othersMean(row: Row): number | null {
  const others = row.subs.slice(1);
  return others.length === 0 ? null : others.reduce((sum, steps) => sum + steps, 0) / others.length;
}

/** What a row adds to the critical steps, as "1 + 5 = 6 critical steps". */
export function sum(row: Row): string {
  if (row.subs.length === 0) {
    return count(row.main, "critical step");
  }
  return row.main === 0
    ? count(row.most, "critical step")
    : `${row.main} + ${row.most} = ${count(row.main + row.most, "critical step")}`;
}

export type Standing = "" | "so far" | "by now" | "in the end" | "not begun";

/**
 * Of which time the numbers of a row are, seen from `at` seconds; null is the present. "" where
 * they are final and were so then. Older numbers than those of the present are not known.
 */
export function standing(row: Row, at: number | null): Standing {
  if (at === null) {
    return row.open ? "so far" : "";
  }
  if (row.began > at) {
    return "not begun";
  }
  if (row.open) {
    return "by now";
  }
  return row.ended !== null && row.ended <= at ? "" : "in the end";
}

/**
 * The sub-agents of a stage as the data of an SVG path, one bar on top of the other, the longest
 * first: x is in steps, y in sub-agents.
 */
export function bars(subs: readonly number[]): string {
  return subs
    .map((steps, at) => (steps > 0 ? `M0 ${at}h${steps}v1h${-steps}z` : ""))
    .join("");
}

/** The sentence that says it all, as "19 critical steps of 365 in all". */
export function sentence(scene: Scene): string {
  const run = scene.run;
  if (run === null) {
    return "No agent has begun yet.";
  }
  const limit = run.budget.find(([what]) => what === "critical steps")?.[1];
  const most = limit === undefined ? "" : `, the budget is ${grouped(limit)}`;
  return `${count(run.critical_steps, "critical step")} of ${count(run.total_steps, "step")} in all${most}`;
}
