// The charts of a training: for its view, and for whoever lets one play with the weights.

import type { Training } from "../pure/scene.ts";
import { Columns, PANELS, replaced, schedules, status, summary } from "../pure/training.ts";
import { grouped } from "../pure/words.ts";
import { watchTheme } from "./chart.ts";
import { h, set, write } from "./dom.ts";
import { EARLIER, type Extra, Panel } from "./panel.ts";

export { EARLIER, type Extra } from "./panel.ts";

export interface Charts {
  readonly element: HTMLElement;
  /**
   * Draw a training as far as it is; with `extra`, additional dashed lines; with `earlier`, faint
   * ones of other trainings, the latest first, as many as there are in EARLIER.
   */
  update(training: Training, extra?: Extra, earlier?: readonly Training[]): void;
  /** Let go of everything outside of its element. */
  dispose(): void;
}

/**
 * `pointed` hears which iteration is pointed at, null for the latest. Whoever listens may give
 * earlier trainings too; the view of one training has none.
 */
export function rewardCharts(pointed?: (index: number | null) => void): Charts {
  return new RewardCharts(pointed);
}

const NONE: readonly Training[] = [];
const NOTHING: Extra = {};

class RewardCharts implements Charts {
  readonly element: HTMLElement;
  readonly #status = h("strong");
  readonly #what = h("span", { class: "krw-quiet" });
  readonly #why = h("p", { class: "krw-why" });
  readonly #summary = h("p", { class: "krw-quiet" });
  readonly #smoothed = h("span");
  readonly #readout: HTMLElement;
  readonly #columns = new Columns();
  readonly #panels: Panel[];
  readonly #resized: ResizeObserver;
  readonly #unwatch: () => void;
  #training: Training | null = null;
  #extra = NOTHING;
  #earlier = NONE;
  #past: readonly Columns[] = [];
  readonly #pointed: ((index: number | null) => void) | undefined;
  /** Index of the iteration that is pointed at; null is the latest. */
  #at: number | null = null;

  constructor(pointed?: (index: number | null) => void) {
    this.#pointed = pointed;
    const last = PANELS.length - 1;
    const others = pointed === undefined ? 0 : EARLIER.length;
    this.#panels = PANELS.map(
      (panel, at) => new Panel(panel, at === last, (index) => this.#point(index), others),
    );
    this.#readout = h("span", {
      class: "krw-readout",
      role: "slider",
      tabindex: 0,
      "aria-label": "Iteration",
      "aria-valuemin": 1,
      title: "Arrow keys go from iteration to iteration, Escape to the latest",
    });
    this.#readout.addEventListener("keydown", (event) => this.#walk(event));
    const panels = h("div", { class: "krw-panels" }, ...this.#panels.map((panel) => panel.element));
    this.element = h(
      "div",
      { class: "krw-reward" },
      h("p", { class: "krw-status" }, this.#status, this.#what),
      this.#why,
      this.#summary,
      h("p", { class: "krw-quiet krw-reading" }, this.#readout, this.#smoothed),
      panels,
    );
    this.#resized = new ResizeObserver(() => this.#draw());
    this.#resized.observe(panels);
    this.#unwatch = watchTheme(() => this.#recolour());
  }

  update(training: Training, extra = NOTHING, earlier = NONE): void {
    const known = this.#training;
    const same =
      known !== null &&
      this.#extra === extra &&
      this.#earlier === earlier &&
      this.#columns.rows === training.rows.length &&
      known.schedules.length === training.schedules.length &&
      known.iterations === training.iterations &&
      known.status === training.status;
    this.#training = training;
    this.#extra = extra;
    if (this.#earlier !== earlier) {
      this.#earlier = earlier;
      this.#past = earlier.map((other) => columnsOf(other));
    }
    if (!same) {
      this.#columns.follow(training);
      this.#tell(training);
      this.#draw();
    }
  }

  dispose(): void {
    this.#resized.disconnect();
    this.#unwatch();
    for (const panel of this.#panels) {
      panel.dispose();
    }
  }

  #tell(training: Training): void {
    write(this.#status, status(training));
    write(this.#what, training.what);
    write(this.#why, training.why);
    this.#why.hidden = training.why === "";
    write(this.#summary, summary(this.#columns));
    const over = this.#columns.span;
    const lines = `thick: exponential moving average over about ${over} iterations; faint: each iteration`;
    write(this.#smoothed, over > 1 ? lines : "not smoothed: each iteration as it was");
    this.#panels[1]?.note(schedules(training));
  }

  #draw(): void {
    const training = this.#training;
    if (training === null) {
      return;
    }
    const rows = this.#columns.rows;
    const planned = Math.max(0, ...Object.values(this.#extra).map((values) => values?.length ?? 0));
    const last = Math.max(rows, planned, ...this.#past.map((other) => other.rows));
    const xs = Array.from({ length: last }, (_, at) => at + 1);
    const end = Math.max(2, last, training.status === "running" ? training.iterations : 0);
    const marks = replaced(training);
    for (const panel of this.#panels) {
      panel.draw(xs, this.#columns, this.#extra, [1, end], marks, this.#past);
    }
    this.#read();
  }

  #recolour(): void {
    for (const panel of this.#panels) {
      panel.recolour();
    }
  }

  #point(index: number | null): void {
    this.#at = index === null ? null : Math.min(index, this.#columns.rows - 1);
    for (const panel of this.#panels) {
      panel.point(this.#at);
    }
    this.#pointed?.(this.#at);
    this.#read();
  }

  /** The values at the cursor, or the latest, in every panel's legend. */
  #read(): void {
    const rows = this.#columns.rows;
    const at = Math.min(this.#at ?? rows - 1, rows - 1);
    const told = this.#panels.flatMap((panel) => panel.read(at, this.#columns, this.#extra));
    const iteration = rows === 0 ? "no iteration yet" : `iteration ${grouped(at + 1)}`;
    write(this.#readout, this.#at === null && rows > 0 ? `latest: ${iteration}` : iteration);
    set(this.#readout, {
      "aria-valuemax": Math.max(rows, 1),
      "aria-valuenow": Math.max(at + 1, 1),
      "aria-valuetext": [iteration, ...told].join(", "),
    });
  }

  #walk(event: KeyboardEvent): void {
    const rows = this.#columns.rows;
    const at = this.#at ?? rows - 1;
    const far = Math.max(1, Math.round(rows / 10));
    const steps: Record<string, number> = {
      ArrowLeft: at - 1,
      ArrowDown: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at + 1,
      PageDown: at - far,
      PageUp: at + far,
      Home: 0,
      End: rows - 1,
    };
    const to = steps[event.key];
    if (rows > 0 && (to !== undefined || event.key === "Escape")) {
      event.preventDefault();
      event.stopPropagation();
      this.#point(to === undefined ? null : Math.min(Math.max(to, 0), rows - 1));
    }
  }
}

function columnsOf(training: Training): Columns {
  const columns = new Columns();
  columns.follow(training);
  return columns;
}
