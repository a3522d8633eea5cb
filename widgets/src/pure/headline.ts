// The figures of the header in words. Everything that is counted comes from Python.

import type { Run, Training } from "./scene.ts";
import { count, dollars, grouped, seconds, short, stateWord } from "./words.ts";

/** Seconds for which the clock goes on without a word of the kernel: it sends twelve a second. */
export const LEAD = 1.5;

const CRITICAL = "turns of the main agent, and of the slowest sub-agent of each stage";

/** A value and what it is of; `mark` is "bad" or "tight" where it wants attention. */
export interface Figure {
  key: string;
  value: string;
  noun: string;
  hint: string;
  mark: string;
}

/** Seconds since the run began, `since` seconds after the kernel's last word. */
export function elapsed(now: number, since: number, ticks: boolean): number {
  return ticks ? now + Math.min(Math.max(since, 0), LEAD) : now;
}

/** How a run stands, as shape and word. One whose log ends before it does is unfinished. */
export function statusWord(status: string, live: boolean): string {
  return status === "running" && !live ? "● unfinished" : stateWord(status);
}

/** Why it did not finish; "" where there is nothing to say. */
export function reason(run: Run, live: boolean): string {
  if (run.why !== "") {
    return run.why;
  }
  return run.status === "running" && !live ? "the log ends before the run does" : "";
}

/** Share of the sub-agents that have ended, in [0, 1]; null where there are none. */
export function progress(run: Run): number | null {
  return run.sub_agents > 0 ? run.ended / run.sub_agents : null;
}

export function figures(run: Run): Figure[] {
  const about = run.estimated ? "about " : "";
  const tokens = `${about}${short(run.tokens_in)}`;
  const cached = `${grouped(run.tokens_cached)} of those in were cached`;
  const exact = `${grouped(run.tokens_in)} in, ${grouped(run.tokens_out)} out; ${cached}`;
  return [
    ...(run.sub_agents > 0 ? [ended(run)] : []),
    counted("steps", run.total_steps, "step", "model turns, all agents"),
    counted("critical", run.critical_steps, "critical step", CRITICAL),
    counted("tools", run.tool_calls, "tool call", ""),
    figure("tokens", tokens, `tokens in, ${short(run.tokens_out)} out`, `${about}${exact}`),
    cost(run),
    ...(run.retries > 0 ? [retried(run.retries)] : []),
    ...(run.failed_agents > 0 ? [failed(run.failed_agents)] : []),
  ];
}

/** Who answers; nobody is named where rules alone do, which is said beside it. */
export function answering({ model, simulated }: Run): string {
  return simulated && model === "simulator" ? "" : model;
}

function cost({ cost_usd, simulated, model }: Run): Figure {
  if (cost_usd === null && !simulated) {
    return figure("cost", "unknown", "cost", `no price of ${model} is known`);
  }
  const noun = simulated ? "no model was called" : "at list prices";
  return figure("cost", dollars(cost_usd, simulated), noun, "");
}

function retried(retries: number): Figure {
  const noun = retries === 1 ? "retry" : "retries";
  return figure("retries", `↻ ${grouped(retries)}`, noun, "attempts that failed and were repeated");
}

function failed(agents: number): Figure {
  return figure("failed", `✗ ${grouped(agents)}`, "failed", "agents that failed", "bad");
}

function ended(run: Run): Figure {
  const value = `${grouped(run.ended)} of ${grouped(run.sub_agents)}`;
  return figure("ended", value, `${plural(run.sub_agents, "sub-agent")} ended`, "");
}

/** What is spent of each limit. */
export function budget(run: Run): Figure[] {
  return run.budget.map(([what, limit, spent]) => {
    const share = limit > 0 ? spent / limit : 1;
    const over = spent > limit;
    const tight = share >= 0.9;
    const value = `${over ? "✗ " : tight ? "▲ " : ""}${amount(what, spent)}`;
    const percent = `${Math.floor(share * 100)}% of the budget`;
    return figure(
      what,
      value,
      `of ${amount(what, limit)} ${noun(what)}`,
      percent,
      over ? "bad" : tight ? "tight" : "",
    );
  });
}

/** How far a training is, in its header. */
export function trained(training: Training): Figure[] {
  const done = training.rows.length;
  const value = `${grouped(done)} of ${grouped(training.iterations)}`;
  return [
    figure("iteration", value, plural(training.iterations, "iteration"), ""),
    figure("seed", "seed", String(training.seed), ""),
  ];
}

/** How long it is likely to go on; "" where nobody can tell. */
export function remaining(left: number | null, live: boolean): string {
  return live && left !== null ? `about ${roughly(left)} left` : "";
}

function roughly(left: number): string {
  return left < 600 ? `${Math.max(1, Math.round(left))} s` : seconds(left);
}

function amount(what: string, value: number): string {
  if (what === "usd") {
    return `$${value.toFixed(2)}`;
  }
  return Number.isInteger(value) && value < 10_000 ? grouped(value) : shortened(value);
}

function shortened(value: number): string {
  return value >= 1000 ? short(value) : value.toFixed(1);
}

function noun(what: string): string {
  return what === "usd" ? "" : what;
}

function plural(number: number, word: string): string {
  return count(number, word).slice(grouped(number).length + 1);
}

function counted(key: string, number: number, word: string, hint: string): Figure {
  return figure(key, grouped(number), plural(number, word), hint);
}

function figure(key: string, value: string, what: string, hint: string, mark = ""): Figure {
  return { key, value, noun: what, hint, mark };
}
