// The list of agents: in which order, and which of them a text finds.

import type { Agent } from "./scene.ts";

export type Order = "state" | "time" | "start";

/** Those first that want to be looked at: what went wrong, what runs, what waits, what is done. */
const RANK: Record<string, number> = {
  failed: 0,
  over_budget: 1,
  retrying: 2,
  tool: 3,
  thinking: 4,
  queued: 5,
  waiting: 6,
  cancelled: 7,
  finished: 8,
};

/** Seconds from an agent's begin to its end, or to `now`. */
export function took(agent: Agent, now: number): number {
  return Math.max(0, (agent.ended ?? now) - agent.began);
}

/** The agents that `words` find: main agents first and the others by state, or the longest
 * first, or as they began. */
export function roll(agents: readonly Agent[], words: string, order: Order, now: number): Agent[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const found = agents.filter((agent) => agent !== undefined && fits(agent, wanted));
  const rank = (agent: Agent): number =>
    agent.role === "sub-agent" ? (RANK[agent.state] ?? 9) : -1;
  if (order === "state") {
    return found.sort((a, b) => rank(a) - rank(b) || a.number - b.number);
  }
  if (order === "time") {
    return found.sort((a, b) => took(b, now) - took(a, now) || a.number - b.number);
  }
  return found;
}

function fits(agent: Agent, wanted: readonly string[]): boolean {
  const text = `${agent.id} ${agent.label} ${agent.state.replaceAll("_", " ")} ${agent.task}`;
  const lower = text.toLowerCase();
  return wanted.every((word) => lower.includes(word));
}
