// One panel of a training: a title, a legend with the values in words, and a chart.

import { Smooth } from "../pure/curves.ts";
import { type Columns, type Panel as Plan, type Series, tell } from "../pure/training.ts";
import { Chart, type Line, type Values } from "./chart.ts";
import { h, s, write } from "./dom.ts";

/** Lines that are no part of the training, by iteration from the first. Gaps are null. */
export interface Extra {
  /** The rewards of this training under other weights. */
  total?: Values;
  /** The weights that are set now, over the whole training. */
  lambda_parallel?: Values;
  lambda_finish?: Values;
}

const NAMES: Record<keyof Extra, string> = {
  total: "re-weighed total",
  lambda_parallel: "λ_parallel as set",
  lambda_finish: "λ_finish as set",
};
const FAINT = 0.28;
/** How the lines of trainings before this one are told from one another, the oldest last. */
export const EARLIER: readonly (readonly number[])[] = [
  [1, 3],
  [9, 3],
  [4, 2, 1, 2],
  [14, 3, 2, 3],
];
/** Of them these are drawn: what was paid under other weights does not compare. */
const COMPARED = ["r_perf", "critical_steps", "sub_agents", "success"];

type Added = Series & { column: keyof Extra };

interface Entry {
  element: HTMLElement;
  value: HTMLElement;
}

export class Panel {
  readonly element: HTMLElement;
  readonly #plan: Plan;
  readonly #chart: Chart;
  /** Series for which there may be an additional line. */
  readonly #extra: Added[];
  readonly #entries: Entry[];
  readonly #additional: Entry[];
  readonly #note = h("span", { class: "krw-quiet" });

  /** Whether what is set may be drawn beside what was. */
  readonly #beside: boolean;
  /** Series that earlier trainings are drawn beside. */
  readonly #compared: Series[];

  /** With `earlier`, there may be lines of that many other trainings. */
  constructor(plan: Plan, axis: boolean, hover: (index: number | null) => void, earlier = 0) {
    this.#plan = plan;
    this.#compared =
      earlier > 0 ? plan.series.filter(({ column }) => COMPARED.includes(column)) : [];
    this.#extra = plan.series.filter((series) => series.column in NAMES) as Added[];
    this.#beside = earlier > 0;
    this.#entries = plan.series.map((series) =>
      entry(series.name, series.note, series.color, this.#dash(series)),
    );
    this.#additional = this.#extra.map((series) =>
      entry(NAMES[series.column], "", series.color, set(series)),
    );
    this.#chart = new Chart({
      lines: [...this.#lines(), ...this.#compared.flatMap((series) => faint(series, earlier))],
      height: plan.height,
      axis,
      range: (least, most) => [
        Math.min(0, least),
        Math.max(plan.least, plan.unit === "%" ? 1 : most * 1.08),
      ],
      tell: (value) =>
        plan.unit === "%" ? `${Math.round(value * 100)} %` : String(Number(value.toPrecision(6))),
      hover,
    });
    const legend = h(
      "span",
      { class: "krw-legend" },
      ...[...this.#entries, ...this.#additional].map((e) => e.element),
    );
    this.element = h(
      "figure",
      {},
      h("figcaption", {}, h("strong", {}, plan.title), legend, this.#note),
      this.#chart.element,
      axis && h("p", { class: "krw-quiet krw-axis" }, "iteration"),
    );
  }

  draw(
    xs: readonly number[],
    columns: Columns,
    extra: Extra,
    range: [number, number],
    marks: readonly number[],
    earlier: readonly Columns[] = [],
  ): void {
    const lines: Values[] = this.#plan.series.flatMap(({ column, stepped }) =>
      stepped
        ? [columns.raw(column)]
        : [columns.span > 1 ? columns.raw(column) : [], columns.smooth(column)],
    );
    lines.push(
      ...this.#extra.map(({ column, stepped }) =>
        smoothed(extra[column] ?? [], stepped ? 1 : columns.span),
      ),
    );
    for (const { column } of this.#compared) {
      lines.push(...EARLIER.map((_, at) => earlier[at]?.smooth(column) ?? []));
    }
    this.#chart.draw(xs, lines, range, marks);
  }

  point(index: number | null): void {
    this.#chart.point(index);
  }

  recolour(): void {
    this.#chart.recolour();
  }

  /** Write the values at this index into the legend; returns them in words. */
  read(at: number, columns: Columns, extra: Extra): string[] {
    const unit = this.#plan.unit;
    const told = this.#plan.series.map((series, index) => {
      const value = tell(columns.raw(series.column)[at], unit);
      write((this.#entries[index] as Entry).value, value);
      return `${series.name} ${value}`;
    });
    for (const [index, { column }] of this.#extra.entries()) {
      const { element, value } = this.#additional[index] as Entry;
      const line = extra[column];
      element.hidden = line === undefined;
      const here = line?.[at] ?? null;
      write(value, here === null ? "" : tell(here, unit));
      if (here !== null) {
        told.push(`${NAMES[column]} ${value.textContent}`);
      }
    }
    return told;
  }

  /** Sentences beside the legend. */
  note(parts: readonly string[]): void {
    write(this.#note, parts.join(" · "));
  }

  dispose(): void {
    this.#chart.dispose();
  }

  /** A weight that was is a whole line where what is set is drawn beside it, dashed. */
  #dash({ dash, stepped }: Series): number[] {
    return this.#beside && stepped ? [] : dash;
  }

  #lines(): Line[] {
    const lines = this.#plan.series.flatMap((series): Line[] => {
      const { column, color, stepped } = series;
      const width = column === "total" || (this.#beside && column === "lambda_parallel") ? 3 : 1.75;
      const line = { color, dash: this.#dash(series), stepped, width, opacity: 1 };
      return stepped ? [line] : [{ ...line, dash: [], width: 1, opacity: FAINT }, line];
    });
    const additional = this.#extra.map((series): Line => {
      const { color, stepped } = series;
      return { color, dash: set(series), stepped, width: 1.5, opacity: 1 };
    });
    return [...lines, ...additional];
  }
}

/** Dashes of what is set. */
function set({ dash, stepped }: Series): number[] {
  return stepped ? dash : [4, 4];
}

/** The lines of `number` earlier trainings for one series. */
function faint({ color, stepped }: Series, number: number): Line[] {
  return EARLIER.slice(0, number).map((dash) => ({
    color,
    dash: [...dash],
    stepped,
    width: 1.25,
    opacity: 0.6,
  }));
}

/** As the line beside which it is drawn. */
function smoothed(values: Values, span: number): Values {
  if (span === 1) {
    return values;
  }
  const smooth = new Smooth(span);
  smooth.follow(values.map((value) => value ?? Number.NaN));
  return smooth.values;
}

function entry(name: string, note: string, color: string, dash: readonly number[]): Entry {
  const value = h("b");
  const line = s("line", {
    x1: 0,
    y1: 4,
    x2: 22,
    y2: 4,
    "stroke-dasharray": dash.join(" ") || null,
  });
  const swatch = s(
    "svg",
    { width: 22, height: 8, "aria-hidden": "true", style: `stroke: var(${color})` },
    line,
  );
  const element = h(
    "span",
    { class: "krw-entry", title: note || null },
    swatch,
    ` ${name} `,
    value,
  );
  return { element, value };
}
