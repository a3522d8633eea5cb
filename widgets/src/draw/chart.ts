// The one place that knows uPlot: lines over iterations, in the colours of the notebook's theme.

import uPlot from "uplot";
import { indexAt, thinned } from "../pure/curves.ts";
import { h } from "./dom.ts";

export interface Line {
  /** A custom property of the view, such as "--call". */
  color: string;
  width: number;
  /** Pixels drawn and left out in turn; [] is a whole line. */
  dash: number[];
  /** From 0 to 1. */
  opacity: number;
  /** It stays until the next value instead of going there on the straight way. */
  stepped: boolean;
}

/** A value of null or beyond the end of its array is a gap. */
export type Values = readonly (number | null)[];

export interface Settings {
  lines: readonly Line[];
  /** CSS pixels, with the axis. */
  height: number;
  /** Whether the iterations are written below it. */
  axis: boolean;
  /** The values between which the panel reaches, given the smallest and the largest of its lines. */
  range(least: number, most: number): [number, number];
  /** A value at the axis in words. */
  tell(value: number): string;
  /** The mouse is at this index of the data now; null is nowhere. */
  hover(index: number | null): void;
}

const GUTTER = 46;

export class Chart {
  readonly element = h("div", { class: "krw-chart", "aria-hidden": "true" });
  readonly #settings: Settings;
  readonly #style = getComputedStyle(this.element);
  /** As they were when it was drawn last. */
  readonly #colors = new Map<string, string>();
  #plot: uPlot | null = null;
  #range: [number, number] = [1, 2];
  #marks: readonly number[] = [];
  #xs: readonly number[] = [];
  #at: number | null = null;
  #quiet = false;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /**
   * Draw lines over `xs`, whole numbers, on an axis over `range`. `marks` are xs with a vertical
   * line. Costs nothing before the element has a width.
   */
  draw(
    xs: readonly number[],
    lines: readonly Values[],
    range: [number, number],
    marks: readonly number[],
  ): void {
    const width = this.element.clientWidth;
    this.#range = range;
    this.#marks = marks;
    this.#xs = xs;
    this.#colors.clear();
    if (width === 0) {
      return;
    }
    const data = thinned([xs, ...lines]) as uPlot.AlignedData;
    if (this.#plot === null) {
      this.#plot = new uPlot(this.#options(width), data, this.element);
      return;
    }
    if (this.#plot.width !== width) {
      this.#plot.setSize({ width, height: this.#settings.height });
    }
    this.#plot.setData(data);
  }

  /** Show the cursor at this index of the data; null hides it. */
  point(index: number | null): void {
    this.#at = index;
    const plot = this.#plot;
    if (plot !== null) {
      const x = index === null ? undefined : this.#xs[index];
      const left = x === undefined ? -10 : plot.valToPos(x, "x");
      this.#quiet = true;
      plot.setCursor({ left, top: x === undefined ? -10 : 1 });
      this.#quiet = false;
    }
  }

  /** Draw again, in the colours as they are now. */
  recolour(): void {
    this.#colors.clear();
    this.#plot?.redraw(false);
  }

  dispose(): void {
    this.#plot?.destroy();
    this.#plot = null;
  }

  #options(width: number): uPlot.Options {
    const { lines, height, axis, range } = this.#settings;
    return {
      width,
      height,
      padding: [6, 20, axis ? 0 : 6, 0],
      legend: { show: false },
      scales: {
        x: { time: false, range: () => this.#range },
        y: { range: (_, least, most) => range(least ?? 0, most ?? 0) },
      },
      axes: [this.#iterations(axis), this.#values()],
      series: [{}, ...lines.map((line) => this.#series(line))],
      cursor: {
        y: false,
        drag: { x: false, y: false },
        points: { show: false },
        bind: {
          mousedown: () => null,
          mouseup: () => null,
          click: () => null,
          dblclick: () => null,
        },
      },
      hooks: {
        setCursor: [(plot) => this.#quiet || this.#settings.hover(this.#under(plot))],
        draw: [(plot) => this.#mark(plot), () => this.#at === null || this.point(this.#at)],
      },
    };
  }

  #series(line: Line): uPlot.Series {
    return {
      stroke: () => this.#color(line.color),
      alpha: line.opacity,
      width: line.width,
      dash: line.dash,
      pxAlign: 0,
      points: { show: (plot: uPlot) => line.opacity === 1 && plot.data[0].length < 2, size: 5 },
      ...(line.stepped && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
    };
  }

  #iterations(shown: boolean): uPlot.Axis {
    return {
      show: true,
      stroke: () => this.#color("--quiet"),
      grid: { stroke: () => this.#color("--grid"), width: 1 },
      ticks: { show: false },
      size: shown ? 22 : 0,
      gap: 4,
      space: 60,
      incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000],
      font: this.#font(),
      values: (_, splits) => splits.map((value) => (shown ? value.toLocaleString("en-US") : null)),
    };
  }

  #values(): uPlot.Axis {
    return {
      stroke: () => this.#color("--quiet"),
      grid: { stroke: () => this.#color("--grid"), width: 1 },
      ticks: { show: false },
      size: GUTTER,
      gap: 6,
      space: 26,
      font: this.#font(),
      values: (_, splits) => splits.map((value) => this.#settings.tell(value)),
    };
  }

  #mark(plot: uPlot): void {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = this.#color("--quiet");
    ctx.lineWidth = uPlot.pxRatio;
    ctx.setLineDash([2 * uPlot.pxRatio, 3 * uPlot.pxRatio]);
    for (const mark of this.#marks) {
      const x = Math.round(plot.valToPos(mark, "x", true)) + 0.5;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  #font(): string {
    return `11px ${this.#style.fontFamily}`;
  }

  /** Index of the data under the mouse. */
  #under(plot: uPlot): number | null {
    const left = plot.cursor.left ?? -1;
    if (left < 0 || this.#xs.length === 0) {
      return null;
    }
    const nearest = indexAt(this.#xs, plot.posToVal(left, "x") + 0.5);
    return Math.max(nearest, 0);
  }

  /** A canvas knows no custom properties. */
  #color(name: string): string {
    let found = this.#colors.get(name);
    if (found === undefined) {
      found = this.#style.getPropertyValue(name).trim();
      this.#colors.set(name, found);
    }
    return found;
  }
}

/** Calls back when the notebook or the system goes from light to dark or back; returns how to end that. */
export function watchTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  for (const element of [document.documentElement, document.body]) {
    observer.observe(element, { attributes: true });
  }
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    system.removeEventListener("change", changed);
  };
}
