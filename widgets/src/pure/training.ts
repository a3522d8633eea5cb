// A training as columns that grow, and in words. Its numbers come from the kernel.

import { Smooth, span } from "./curves.ts";
import type { Schedule, Training } from "./scene.ts";
import { grouped, stateWord } from "./words.ts";

/** Schedules that are told in words at most; of more, the latest. */
const TOLD = 4;
const FORMATS = [0, 1, 2].map(
  (digits) =>
    new Intl.NumberFormat("en-US", {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }),
);

/** What is drawn of a column. */
export interface Series {
  /** Name of a column, or of an additional line. */
  column: string;
  name: string;
  note: string;
  /** A custom property of the view. */
  color: string;
  dash: number[];
  /** A weight goes in steps and is not smoothed; what was measured is. */
  stepped: boolean;
}

export interface Panel {
  title: string;
  height: number;
  /** It reaches at least up to this. */
  least: number;
  unit: "" | "%";
  series: Series[];
}

const measured = { dash: [], stepped: false };
const weight = { stepped: true };
const PARALLEL = { color: "--call", dash: [7, 3] };
const FINISH = { color: "--tool", dash: [2, 3] };

export const PANELS: readonly Panel[] = [
  {
    title: "Rewards",
    height: 170,
    least: 1,
    unit: "",
    series: [
      {
        ...measured,
        column: "total",
        name: "total",
        note: "r_perf + λ_parallel · r_parallel + λ_finish · r_finish: what the policy learns from",
        color: "--text",
      },
      {
        ...measured,
        column: "r_perf",
        name: "r_perf",
        note: "success times quality of the task itself",
        color: "--perf",
      },
      {
        ...measured,
        ...PARALLEL,
        column: "r_parallel",
        name: "r_parallel",
        note: "were sub-agents created at all",
      },
      {
        ...measured,
        ...FINISH,
        column: "r_finish",
        name: "r_finish",
        note: "part of the assigned sub-tasks that were completed",
      },
    ],
  },
  {
    title: "Weights λ",
    height: 84,
    least: 0.1,
    unit: "",
    series: [
      {
        ...weight,
        ...PARALLEL,
        column: "lambda_parallel",
        name: "λ_parallel",
        note: "weight of r_parallel",
      },
      {
        ...weight,
        ...FINISH,
        column: "lambda_finish",
        name: "λ_finish",
        note: "weight of r_finish",
      },
    ],
  },
  {
    title: "Steps per task",
    height: 110,
    least: 1,
    unit: "",
    series: [
      {
        ...measured,
        column: "total_steps",
        name: "total steps",
        note: "of all agents together",
        color: "--wait",
        dash: [7, 3],
      },
      {
        ...measured,
        column: "critical_steps",
        name: "critical steps",
        note: "those that follow one after the other",
        color: "--crit",
      },
    ],
  },
  {
    title: "Sub-agents per task",
    height: 84,
    least: 1,
    unit: "",
    series: [
      {
        ...measured,
        column: "sub_agents",
        name: "sub-agents",
        note: "launched for each task",
        color: "--call",
      },
    ],
  },
  {
    title: "Success",
    height: 106,
    least: 1,
    unit: "%",
    series: [
      {
        ...measured,
        column: "success",
        name: "success",
        note: "part of the tasks that succeeded",
        color: "--good",
      },
    ],
  },
];

/** The columns of a training, with smoothed ones beside them. They only grow. */
export class Columns {
  rows = 0;
  #first: readonly number[] | undefined;
  #span = 1;
  readonly #raw = new Map<string, number[]>();
  readonly #smooth = new Map<string, Smooth>();

  /** Over about how many iterations is smoothed. */
  get span(): number {
    return this.#span;
  }

  /** Take in the rows that are new, or all those of another training. */
  follow(training: Training): void {
    const { rows, columns, iterations } = training;
    if (rows[0] !== this.#first || rows.length < this.rows || span(iterations) !== this.#span) {
      this.#begin(training);
    }
    for (const row of rows.slice(this.rows)) {
      for (const [at, column] of columns.entries()) {
        this.raw(column).push(row[at] ?? Number.NaN);
      }
    }
    this.rows = rows.length;
    for (const [column, smooth] of this.#smooth) {
      smooth.follow(this.raw(column));
    }
  }

  /** As they came; empty for a column that there is not. */
  raw(column: string): number[] {
    let found = this.#raw.get(column);
    if (found === undefined) {
      found = [];
      this.#raw.set(column, found);
    }
    return found;
  }

  smooth(column: string): number[] {
    return this.#smooth.get(column)?.values ?? [];
  }

  #begin({ rows, columns, iterations }: Training): void {
    this.rows = 0;
    this.#first = rows[0];
    this.#span = span(iterations);
    this.#raw.clear();
    this.#smooth.clear();
    for (const column of columns) {
      this.#smooth.set(column, new Smooth(this.#span));
    }
  }
}

/** A value of a panel, as "0.83", "18.3" or "93 %". */
export function tell(value: number | null | undefined, unit: "" | "%"): string {
  if (value === null || value === undefined || Number.isNaN(value)) {
    return "–";
  }
  if (unit === "%") {
    return `${Math.round(value * 100)} %`;
  }
  const digits = Math.abs(value) < 10 ? 2 : Math.abs(value) < 1000 ? 1 : 0;
  return (FORMATS[digits] as Intl.NumberFormat).format(value);
}

/** The line above the panels, as "● running · iteration 120 of 200 · seed 0". */
export function status(training: Training): string {
  const done = `iteration ${grouped(training.rows.length)} of ${grouped(training.iterations)}`;
  return `${stateWord(training.status)} · ${done} · seed ${training.seed}`;
}

/** A schedule, as "λ_parallel 0.3 → 0, linear until 70 % of the training, from iteration 34 (dotted line)". */
function schedule([reward, start, end, shape, until, since]: Schedule): string {
  const from = since > 1 ? `, from iteration ${grouped(since)} (dotted line)` : "";
  const way =
    shape === "constant"
      ? `${start} constant`
      : `${start} → ${end}, ${shape} until ${Math.round(until * 100)} % of the training`;
  return `λ_${reward} ${way}${from}`;
}

/** The schedules in words; of many, the latest. */
export function schedules(training: Training): string[] {
  const all = training.schedules.map(schedule);
  const more = all.length - TOLD;
  return more > 0 ? [`${more} earlier`, ...all.slice(more)] : all;
}

/** Iterations at which a schedule was replaced. */
export function replaced(training: Training): number[] {
  return [...new Set(training.schedules.map(([, , , , , since]) => since))].filter((at) => at > 1);
}

/** From the beginning to now, as "r_perf 0.48 → 0.83"; "" before there are two iterations. */
export function summary(columns: Columns): string {
  const number = Math.min(columns.span, Math.floor(columns.rows / 2));
  if (number < 1) {
    return "";
  }
  const told = [
    ["r_perf", "r_perf", ""],
    ["critical_steps", "critical steps", ""],
    ["total_steps", "total steps", ""],
    ["sub_agents", "sub-agents", ""],
    ["success", "success", "%"],
  ] as const;
  const parts = told.map(([column, name, unit]) => {
    const values = columns.raw(column);
    const [before, now] = [mean(values.slice(0, number)), mean(values.slice(-number))];
    return `${name} ${tell(before, unit)} → ${tell(now, unit)}`;
  });
  const over =
    number === 1
      ? "From the first iteration to the latest"
      : `From the first ${number} iterations to the latest ${number}`;
  return `${over}: ${parts.join(", ")}.`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
