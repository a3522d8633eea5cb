// What one agent was asked, said and did, as the kernel sends it for the chosen agent.

export interface Call {
  /** Position in the turn, from 0. */
  call: number;
  tool: string;
  /** Indented, where they are JSON. */
  arguments: string;
  /** When the turn that asked for it was complete. */
  began: number;
  ended: number | null;
  outcome: "ok" | "failed" | "interrupted" | "running";
  text: string;
  /** Names of the files beside the log that came with it: images, or a text too long for it. */
  artefacts: string[];
  /** Ids of the sub-agents that the call launched. */
  launched: string[];
}

/** An attempt that failed. */
export interface Retry {
  t: number;
  /** Class of the error; "" where the run itself had stopped. */
  error: string;
  why: string;
  /** Seconds until the next attempt. */
  wait: number;
  /** What had come before the stream broke off; it counts for nothing. */
  text: string;
}

export interface Turn {
  step: number;
  began: number;
  ended: number | null;
  text: string;
  thinking: string;
  /** The text is all that came before the stream broke off. */
  cut: boolean;
  /** "stop", "tool_calls", "length", "content_filter", "failed"; "interrupted" if nothing more
   * comes of it, "" while it is written. */
  finish: string;
  tokens_in: number;
  tokens_out: number;
  tokens_cached: number;
  /** The token counts are estimates. */
  estimated: boolean;
  retries: Retry[];
  calls: Call[];
}

export interface Detail {
  id: string;
  task: string;
  /** The system prompt that the orchestrator gave it; "" where it gave none. */
  prompt: string;
  outcome: string;
  turns: Turn[];
}

/** A message of the kernel: the turns of an agent from step `since` on. */
export interface Told extends Detail {
  kind: "agent";
  since: number;
}

/** What is known of an agent after a message about it. */
export function merge(known: Detail | null, told: Told): Detail {
  const before = known?.id === told.id ? known.turns.filter((turn) => turn.step < told.since) : [];
  const { id, task, prompt, outcome } = told;
  return { id, task, prompt, outcome, turns: [...before, ...told.turns] };
}

/** What was known of an agent at `t`; `ended` is when it ended. */
export function asOf(detail: Detail, t: number, ended: number | null): Detail {
  const turns = detail.turns.filter((turn) => turn.began <= t).map((turn) => turnAt(turn, t));
  return { ...detail, turns, outcome: ended !== null && ended <= t ? detail.outcome : "" };
}

function turnAt(turn: Turn, t: number): Turn {
  const retries = turn.retries.filter((retry) => retry.t <= t);
  if (turn.ended === null || turn.ended > t) {
    const unknown = { text: "", thinking: "", cut: false, finish: "" };
    return { ...turn, ...unknown, ended: null, tokens_in: 0, tokens_out: 0, retries, calls: [] };
  }
  return { ...turn, retries, calls: turn.calls.map((call) => callAt(call, t)) };
}

function callAt(call: Call, t: number): Call {
  const out = call.ended === null || call.ended > t;
  return out ? { ...call, ended: null, outcome: "running", text: "", artefacts: [] } : call;
}
