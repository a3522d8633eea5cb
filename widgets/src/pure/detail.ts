// What one agent was asked, said and did, as the kernel sends it for the chosen agent.

export interface Call {
  /** Position in the turn, from 0. */
  call: number;
  tool: string;
  arguments: string;
  began: number;
  ended: number | null;
  outcome: "ok" | "failed" | "interrupted" | "running";
  text: string;
  /** Name of the file beside the log that holds the whole result; "" for none. */
  artefact: string;
  /** Id of the sub-agent that the call launched; "" for other tools. */
  launched: string;
}

export interface Turn {
  step: number;
  began: number;
  ended: number | null;
  text: string;
  thinking: string;
  /** "stop", "tool_calls", "length", "content_filter", "failed"; "" while it is written. */
  finish: string;
  tokens_in: number;
  tokens_out: number;
  tokens_cached: number;
  /** Why each attempt before the last failed. */
  retries: string[];
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
