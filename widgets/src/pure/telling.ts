// What an agent, its turns and its calls are at, in words.

import type { Call, Retry, Turn } from "./detail.ts";
import type { Agent } from "./scene.ts";
import { count, grouped, seconds, short } from "./words.ts";

/** Lines, and characters, of a text that are shown before one asks for all of it. */
export const LINES = 8;
export const CHARACTERS = 800;

const FINISHES: Record<string, string> = {
  length: "▲ cut at the model's longest answer",
  content_filter: "⊘ stopped by the endpoint's content filter",
  failed: "✗ no attempt succeeded",
  interrupted: "⊘ interrupted",
  "": "● being written",
};
const OUTCOMES: Record<Call["outcome"], string> = {
  ok: "✓ ok",
  failed: "✗ failed",
  interrupted: "⊘ interrupted",
  running: "◆ running",
};

/** An agent's figures; of the past, `at`, only its times are known. */
export function about(agent: Agent, now: number, at: number | null): string {
  const stage = agent.stage > 0 ? [`stage ${agent.stage}`] : [];
  return lines([...stage, ...(at === null ? totals(agent, now) : since(agent, at))]);
}

/** Items of which none is broken between two lines. */
function lines(items: readonly string[]): string {
  return items.map((item) => item.replaceAll(" ", "\u00a0")).join(" · ");
}

function since(agent: Agent, at: number): string[] {
  if (agent.began > at) {
    return ["has not begun"];
  }
  const ended =
    agent.ended !== null && agent.ended <= at ? [`ended at ${seconds(agent.ended)}`] : [];
  return [`began at ${seconds(agent.began)}`, ...ended];
}

function totals(agent: Agent, now: number): string[] {
  const { began, ended, steps, tool_calls, failed_tool_calls, retries, queued_s } = agent;
  const { where, moves = 0 } = agent;
  const until = ended === null ? "now" : seconds(ended);
  return [
    ...(where === undefined ? [] : [`on worker ${where}`]),
    ...(moves ? [`↻ ${grouped(moves)} × taken up again: its worker was lost`] : []),
    `${seconds((ended ?? now) - began)} (from ${seconds(began)} to ${until})`,
    count(steps, "step"),
    count(tool_calls, "tool call") +
      (failed_tool_calls ? ` (✗ ${grouped(failed_tool_calls)} failed)` : ""),
    ...(retries ? [`↻ ${grouped(retries)} ${retries === 1 ? "retry" : "retries"}`] : []),
    ...(queued_s >= 0.1 ? [`◌ queued ${seconds(queued_s)}`] : []),
    `${short(agent.tokens_in)} tokens in, ${short(agent.tokens_out)} out`,
  ];
}

/** How long a turn took or takes, and what came of it where that is not plain. */
export function turnWords(turn: Turn, now: number): string {
  const finish = FINISHES[turn.finish];
  const tokens = turn.tokens_in + turn.tokens_out > 0;
  const guess = turn.estimated ? "about " : "";
  return lines([
    seconds((turn.ended ?? now) - turn.began),
    ...(tokens
      ? [`${guess}${short(turn.tokens_in)} tokens in, ${short(turn.tokens_out)} out`]
      : []),
    ...(finish === undefined ? [] : [finish]),
  ]);
}

export function callWords(call: Call, now: number): string {
  return `${OUTCOMES[call.outcome]} · ${seconds(Math.max(0, (call.ended ?? now) - call.began))}`;
}

export function retryWords({ t, error, why, wait }: Retry): string {
  const what = error === "" ? why : `${error}: ${why}`;
  return `↻ at ${seconds(t)} ${what}${error === "" ? "" : `; again after ${seconds(wait)}`}`;
}

/** The beginning of a text, and how many lines or characters more it has; "" if that is all. */
export function excerpt(text: string): [string, string] {
  const lines = text.split("\n");
  const head = lines.slice(0, LINES).join("\n");
  if (head.length > CHARACTERS) {
    return [`${head.slice(0, CHARACTERS)}…`, `${grouped(text.length)} characters`];
  }
  return lines.length > LINES + 1 ? [head, `${grouped(lines.length)} lines`] : [text, ""];
}
