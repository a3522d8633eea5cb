// What an agent was at, at a time: for the replay slider and the time cursor.

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

/**
 * The state of an agent at `t`, as the log up to then tells it; "" before it began. A state that
 * lasted for no time, as a wait of zero seconds before another attempt, is not seen.
 */
export function stateAt(scene: Scene, agent: Agent, t: number): string {
  if (t < agent.began) {
    return "";
  }
  const over = endAt(agent, t);
  if (over !== null) {
    return over[1];
  }
  const found = stretchAt(scene, agent, t);
  return found === null ? "waiting" : STATES[found[3]];
}

/** When and as what an agent had ended, of the end that held at `t`. */
export function endAt(agent: Agent, t: number): [ended: number, state: string] | null {
  if (agent.ended !== null && t >= agent.ended) {
    return [agent.ended, agent.state];
  }
  const before = agent.ends.find(([ended, , until]) => t >= ended && t < until);
  return before === undefined ? null : [before[0], before[1]];
}

/** The stretch of an agent at `t`; null where it waited. The open one has no end: infinity. */
export function stretchAt(scene: Scene, agent: Agent, t: number): Span | null {
  if (agent.open !== null && t >= agent.open[0]) {
    const [since, kind, step, until] = agent.open;
    return kind === "retry" && t > until
      ? [agent.number, until, Infinity, "call", step]
      : [agent.number, since, kind === "retry" ? until : Infinity, kind, step];
  }
  const spans = scene.spans[agent.number] ?? [];
  const index = lastBefore(spans, t);
  const span = spans[index];
  const before = spans[index - 1];
  if (span?.[1] === t && before?.[3] === "retry" && before[2] === t && before[4] === span[4]) {
    // A wait that runs out makes no record: its last moment is still the wait's.
    return span[3] === "call" || span[3] === "failed" ? before : span;
  }
  return span !== undefined && t < span[2] ? span : null;
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
