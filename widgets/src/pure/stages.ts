// The stages of a run as rows: who was slowest, who waited for it. Steps come from the kernel.

import type { Agent, Scene, Stage } from "./scene.ts";
import { count, grouped, seconds } from "./words.ts";

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
  /** Its sub-agents, the slowest first. */
  subs: Agent[];
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
  agents.sort((one, other) => other.steps - one.steps || ended(other) - ended(one));
  return {
    key: `${stage.parent}/${stage.number}`,
    title: `${stage.parent === "" ? "Level" : "Stage"} ${stage.number}`,
    stages: 1,
    main: stage.main_steps,
    most: stage.max_sub_steps,
    subs: agents,
    total,
    began: stage.began,
    ended: stage.ended,
    open: agents.some((agent) => agent.ended === null),
  };
}

function ended(agent: Agent): number {
  return agent.ended === null ? 0 : 1;
}

/** Steps that the other sub-agents took on average; null where there is no other. */
export function othersMean(row: Row): number | null {
  const others = row.subs.slice(1);
  const steps = others.reduce((sum, agent) => sum + agent.steps, 0);
  return others.length === 0 ? null : steps / others.length;
}

/** What a row adds to the critical steps, as "1 + 5 = 6". */
export function sum(row: Row): string {
  return row.main > 0 && row.subs.length > 0
    ? `${row.main} + ${row.most} = ${grouped(row.main + row.most)}`
    : grouped(row.main + row.most);
}

/** Who took part, as "65 sub-agents". */
export function who(row: Row): string {
  return row.subs.length > 0 ? count(row.subs.length, "sub-agent") : "main agent alone";
}

/** The longest of the rows, in steps: what their bars are measured with. Stages of the main agent
 * alone, of which a row may be many, count only where there are no others. */
export function longest(rows: readonly Row[]): number {
  const wide = rows.filter((row) => row.subs.length > 0);
  return Math.max(1, ...(wide.length > 0 ? wide : rows).map((row) => row.main + row.most));
}

/** The slowest sub-agent's steps and those of the others, as "5 steps · the others 3.6 on average". */
export function waited(row: Row): string {
  const mean = othersMean(row);
  const same = row.subs.filter((agent) => agent.steps === row.most).length - 1;
  const told = count(row.most, "step");
  if (mean === null) {
    return told;
  }
  if (same === row.subs.length - 1) {
    return `${told}, like ${same === 1 ? "the other" : "all the others"}`;
  }
  const like = same > 0 ? `, like ${count(same, "other")}` : "";
  const rest =
    row.subs.length === 2 ? `the other ${fixed(mean)}` : `the others ${fixed(mean)} on average`;
  return `${told}${like} · ${rest}`;
}

function fixed(value: number): string {
  return String(Number(value.toFixed(1)));
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

/** Sub-agents as the data of an SVG path, one bar below the other: x is in steps, y in agents. */
export function bars(agents: readonly Agent[]): string {
  return agents.map(({ steps }, at) => bar(at, 0, steps)).join("");
}

/** Likewise, what those that are still at work have before them until `most` steps. */
export function ahead(agents: readonly Agent[], most: number): string {
  return agents.map((agent, at) => (ended(agent) ? "" : bar(at, agent.steps, most))).join("");
}

function bar(at: number, from: number, to: number): string {
  return to > from ? `M${from} ${at}H${to}v1H${from}z` : "";
}

/** The line above the rows, as "19 critical steps of 365 steps in all · budget 60". */
export function headline(scene: Scene, at: number | null): string {
  const run = scene.run;
  if (run === null || (run.total_steps === 0 && run.agents === 0)) {
    return "No agent has begun yet.";
  }
  const limit = run.budget.find(([what]) => what === "critical steps")?.[1];
  const said = `${count(run.critical_steps, "critical step")} of ${count(run.total_steps, "step")} in all`;
  return `${when(run.wall_s, run.status, at)}${said}${limit === undefined ? "" : ` · budget ${grouped(limit)}`}`;
}

/** Of which time the counts of a run are that reach until `wall` seconds. */
function when(wall: number, status: string, at: number | null): string {
  if (at === null) {
    return status === "running" ? "So far: " : "";
  }
  return wall <= at + 1e-6 ? `At ${seconds(at)}: ` : "In the end: ";
}
