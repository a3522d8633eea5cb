// What an agent did at a time, in words: what the time cursor says.

import { endAt, stretchAt } from "./at.ts";
import type { Agent, Kind, Scene, Span, Tick } from "./scene.ts";
import { seconds, stateWord } from "./words.ts";

export interface Moment {
  when: string;
  who: string;
  what: string;
  /** The tools that were called then, one a line. */
  calls: string[];
}

const WHAT: Record<Kind, (step: number) => string> = {
  call: (step) => `model call, step ${step}`,
  failed: (step) => `model call without an answer, step ${step}`,
  tool: (step) => `tools of step ${step}`,
  queued: (step) => `waits for a slot, step ${step}`,
  retry: (step) => `waits to try step ${step} again`,
  other: () => "waits",
};
const CALLS = 5;

export function moment(scene: Scene, agent: Agent, t: number): Moment {
  const span = stretchAt(scene, agent, t);
  const calls = span?.[3] === "tool" ? callsOf(scene, agent, span) : [];
  return { when: seconds(t), who: agent.label, what: what(scene, agent, t, span), calls };
}

/** A duration, exact enough that a short one is not "0.0 s". */
export function took(value: number): string {
  return value < 0.995 ? `${value.toFixed(2)} s` : seconds(value);
}

function what(scene: Scene, agent: Agent, t: number, span: Span | null): string {
  if (t < agent.began) {
    return `begins at ${seconds(agent.began)}`;
  }
  const over = endAt(agent, t);
  if (over !== null) {
    return `${stateWord(over[1])} at ${seconds(over[0])}`;
  }
  if (span === null) {
    return agent.role === "sub-agent" ? "waits" : "waits for its sub-agents";
  }
  const open = span[2] === Infinity;
  const long = open ? `${took(Math.max(scene.now - span[1], 0))} so far` : took(span[2] - span[1]);
  return `${WHAT[span[3]](span[4])}: ${long}`;
}

/** The calls that ran in a stretch of tool time. */
function callsOf(scene: Scene, agent: Agent, [, began, ended]: Span): string[] {
  const ticks = scene.ticks[agent.number] ?? [];
  const mine = ticks.filter((tick) => tick[2] >= began && tick[2] <= ended && tick[1] >= began);
  const said = mine.slice(0, CALLS).map(call);
  return mine.length > CALLS ? [...said, `and ${mine.length - CALLS} more`] : said;
}

function call([, began, ended, tool, ok]: Tick): string {
  return `${ok ? "✓" : "✗"} ${tool} ${took(ended - began)}${ok ? "" : ", failed"}`;
}

/** A sentence for who cannot see the cursor. */
export function sentence({ when, who, what, calls }: Moment): string {
  return [`${who} at ${when}: ${what}`, ...calls].join("; ");
}
