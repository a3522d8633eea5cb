// What is left of a run's budget, in words and as a share.

import type { BudgetRow, Run } from "./scene.ts";
import { count, grouped } from "./words.ts";

export interface Limit {
  what: string;
  /** As "281,760 of 4,000,000 tokens". */
  spent: string;
  /** As "3,718,240 left", "▲ only 10 left" or "✗ 3 over". */
  left: string;
  /** Part of the limit that is spent, in [0, 1]. */
  share: number;
  mark: "" | "tight" | "out";
}

const ORDER = ["critical steps", "steps", "agents", "tokens", "seconds", "usd"];
const TIGHT = 0.9;

/** Every limit of a run, in an order that is always the same. */
export function limits(run: Run): Limit[] {
  return [...run.budget].sort((one, other) => place(one) - place(other)).map(limit);
}

function place([what]: BudgetRow): number {
  const at = ORDER.indexOf(what);
  return at < 0 ? ORDER.length : at;
}

function limit([what, most, spent]: BudgetRow): Limit {
  const share = most > 0 ? Math.min(1, spent / most) : 1;
  const left = most - spent;
  const mark = left < 0 ? "out" : share >= TIGHT ? "tight" : "";
  return {
    what: name(what),
    spent: told(what, most, spent),
    left: rest(what, left, mark === "tight"),
    share,
    mark,
  };
}

function name(what: string): string {
  const shown = what === "usd" ? "cost" : what === "seconds" ? "time" : what;
  return shown.charAt(0).toUpperCase() + shown.slice(1);
}

function told(what: string, most: number, spent: number): string {
  if (what === "usd") {
    return `${dollars(spent)} of ${dollars(most)}`;
  }
  if (what === "seconds") {
    return `${time(spent)} of ${grouped(most)} s`;
  }
  return `${grouped(spent)} of ${ORDER.includes(what) ? count(most, what.replace(/s$/, "")) : `${grouped(most)} ${what}`}`;
}

function rest(what: string, left: number, tight: boolean): string {
  const size = Math.abs(left);
  const shown =
    what === "usd" ? dollars(size) : what === "seconds" ? `${time(size)} s` : grouped(size);
  return left < 0
    ? `✗ ${shown} over`
    : left === 0
      ? "▲ all used"
      : `${tight ? "▲ only " : ""}${shown} left`;
}

function time(seconds: number): string {
  return seconds < 600 ? seconds.toFixed(1) : grouped(Math.round(seconds));
}

function dollars(value: number): string {
  return `$${value.toFixed(value > 0 && value < 0.01 ? 4 : 2)}`;
}
