// The state of an agent at a time: what the replay slider and the time cursor show.

import type { Agent, Kind, Scene, Span } from "./scene.ts";

const STATES: Record<Kind, string> = {
  call: "thinking",
  failed: "thinking",
  tool: "tool",
  queued: "queued",
  retry: "retrying",
  other: "waiting",
};

/** The stretches of an agent up to `now`, the open one cut there. */
export function timeline(scene: Scene, agent: Agent, now: number): Span[] {
  const closed = scene.spans[agent.number] ?? [];
  if (agent.open === null || now <= agent.open[0]) {
    return closed;
  }
  const [since, kind, step, until] = agent.open;
  if (kind === "retry" && now > until) {
    const wait: Span = [agent.number, since, until, "retry", step];
    return [...closed, wait, [agent.number, until, now, "call", step]];
  }
  return [...closed, [agent.number, since, now, kind, step]];
}

/** The state of an agent at `t`; "" before it began. At the end of the run it is its own state. */
export function stateAt(scene: Scene, agent: Agent, t: number): string {
  if (t < agent.began) {
    return "";
  }
  if (t >= scene.now || (agent.ended !== null && t >= agent.ended)) {
    return agent.state;
  }
  const spans = timeline(scene, agent, scene.now);
  const kind = spans[lastBefore(spans, t)];
  return kind !== undefined && t < kind[2] ? STATES[kind[3]] : "waiting";
}

/** Index of the last stretch that began at or before `t`; -1 if none did. */
export function lastBefore(spans: readonly Span[], t: number): number {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle] as Span)[1] <= t) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low - 1;
}
