// What the graph says in words: on its cells, in their tooltips, and to who does not see it.

import { stateAt, stretchAt } from "./at.ts";
import type { Level } from "./cells.ts";
import { type Block, isMain } from "./flow.ts";
import type { Agent, Scene } from "./scene.ts";
import { count, seconds, shape, stateWord, word } from "./words.ts";

/** Agents that the sentence names of a critical path. */
const NAMED = 9;
const ENDED = ["finished", "failed", "cancelled", "over_budget"];
export const ORDER = [
  "thinking",
  "tool",
  "queued",
  "retrying",
  "waiting",
  "finished",
  "failed",
  "cancelled",
  "over_budget",
];

export function hasEnded(state: string): boolean {
  return ENDED.includes(state);
}

/** An agent as the picture shows it: now, or at a time of the past. */
export interface Shown {
  agent: Agent;
  /** The time, in seconds of the run; null is the present. */
  at: number | null;
  /** "" where it has not begun. */
  state: string;
  doing: string;
  /** As "3 steps"; "" where they are not known. */
  steps: string;
}

/** An agent at `t`; null is the present. */
export function shown(scene: Scene, agent: Agent, t: number | null): Shown {
  if (t === null) {
    const { state, doing } = agent;
    return { agent, at: t, state, doing, steps: count(agent.steps, "step") };
  }
  const state = stateAt(scene, agent, t);
  return { agent, at: t, state, doing: doingAt(scene, agent, state, t), steps: "" };
}

function doingAt(scene: Scene, agent: Agent, state: string, t: number): string {
  if (state === "" || hasEnded(state)) {
    return "";
  }
  const step = stretchAt(scene, agent, t)?.[4];
  const ticks = state === "tool" ? (scene.ticks[agent.number] ?? []) : [];
  const out = ticks.filter(([, began, ended]) => began <= t && t < ended);
  const calls = out.map(([, , , tool]) => tool);
  return calls.length > 0 ? calls.join(", ") : step === undefined ? "" : `step ${step}`;
}

/** The lines on an agent's cell. */
export function cellLines({ agent, state, doing, steps }: Shown, level: Level["name"]): string[] {
  const mark = state === "" ? "" : shape(state);
  const said = state === "" ? "not begun" : stateWord(state);
  switch (level) {
    case "card":
      return [agent.label, steps === "" ? said : `${said} · ${steps}`, doing];
    case "slip":
      return [agent.label, state === "tool" ? `${mark} ${doing}` : said, steps];
    case "chip":
      return [`${mark} ${agent.label}`.trim()];
    case "tag":
      return [`${mark} ${agent.id}`.trim()];
    default:
      return [mark];
  }
}

/** The line about the main agent, after its name. */
export function headLine({ state, doing, steps }: Shown): string {
  const said = state === "" ? "not begun" : stateWord(state);
  const now = hasEnded(state) || doing === "" ? said : `${said}: ${doing}`;
  return steps === "" ? now : `${now} · ${steps}`;
}

/** What a tooltip says of an agent. */
export function about({ agent, state, doing, steps }: Shown, critical: boolean): string {
  const lines = [
    agent.label,
    state === "" ? "has not begun at that time" : stateWord(state),
    doing,
  ];
  if (steps !== "") {
    const took = agent.ended === null ? "" : ` in ${seconds(agent.ended - agent.began)}`;
    lines.push(`${steps}, ${count(agent.tool_calls, "tool call")}${took}`);
  }
  return [...lines, critical ? "on the critical path" : "", agent.task].filter(Boolean).join("\n");
}

/** How many agents are in each state, of those that have begun, most alive first. */
export function tally(states: Iterable<string>): [state: string, number: number][] {
  const counts = new Map<string, number>();
  for (const state of states) {
    if (state !== "") {
      counts.set(state, (counts.get(state) ?? 0) + 1);
    }
  }
  const rank = (state: string): number =>
    (ORDER.indexOf(state) + ORDER.length + 1) % (ORDER.length + 1);
  return [...counts].sort(([a], [b]) => rank(a) - rank(b));
}

/** The whole picture in one sentence. */
export function sentence(
  scene: Scene,
  blocks: readonly Block[],
  states: readonly string[],
): string {
  const agents = scene.agents.filter((agent) => agent !== undefined);
  const subs = agents.filter((agent) => !isMain(agent));
  const groups = blocks.filter(({ kind }) => kind === "group").length;
  const counts = tally(subs.map(({ number }) => states[number] ?? ""));
  const doing = counts.map(([state, number]) => `${number} ${word(state)}`).join(", ");
  const mains = agents.filter(isMain).map((agent) => {
    const state = states[agent.number] ?? "";
    return `${agent.label}: ${state === "" ? "not begun" : word(state)}, ${count(agent.steps, "step")}`;
  });
  const fan = `${count(groups, groups > 0 && mains.length === 0 ? "level" : "stage")}, ${count(subs.length, "sub-agent")}`;
  const parts = [...mains, subs.length > 0 ? `${fan}: ${doing || "none has begun"}` : ""];
  return [...parts, pathWords(scene)].filter(Boolean).join("; ");
}

function pathWords(scene: Scene): string {
  const names: string[] = [];
  for (const [number] of scene.path) {
    const label = scene.agents[number]?.label ?? "";
    if (label !== "" && names.at(-1) !== label) {
      names.push(label);
    }
  }
  const cut = names.length > NAMED ? [...names.slice(0, NAMED - 1), "…", names.at(-1)] : names;
  return names.length > 0 ? `critical path: ${cut.join(" → ")}` : "";
}

/** A text that fits into `room` pixels, cut with an ellipsis if it must be. */
export function cut(text: string, room: number, measure: (text: string) => number): string {
  if (text === "" || measure(text) <= room) {
    return text;
  }
  const letters = [...text];
  let [low, high] = [0, letters.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (measure(`${letters.slice(0, middle).join("")}…`) <= room) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low > 0 ? `${letters.slice(0, low).join("").trimEnd()}…` : "";
}
