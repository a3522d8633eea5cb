// Axes of agents over time. Curves stretch with the page, words and marks do not.

import { moment, type Points, staircase, ticks } from "../pure/curve.ts";
import type { CurveForm } from "../pure/predict.ts";
import { h, s, set } from "./dom.ts";

const HEIGHT = 180;
const WIDTH = 1000;

/** A picture with axes, on which curves are drawn. */
export interface Axes {
  readonly element: HTMLElement;
  /** The area between the axes. */
  readonly plot: SVGSVGElement;
  /** Draw, or draw anew, the curve of that class. */
  curve(name: string, points: Points, until: number): void;
  /** Show a column as the one that the keyboard is at; null for none. */
  at(column: { from: number; to: number; height: number } | null): void;
}

/** `end` and `most` are where the axes end. */
export function axes({ seconds, words }: CurveForm, end: number, most: number): Axes {
  const x = (t: number): number => (WIDTH * t) / end;
  const y = (n: number): number => HEIGHT * (1 - n / most);
  const share = (t: number): string => `${((100 * t) / end).toFixed(3)}%`;
  const band = s("rect", { class: "knp-band", y: 0, height: HEIGHT, visibility: "hidden" });
  const point = s("circle", { class: "knp-point", r: 4.5, visibility: "hidden" });
  const inner = s("svg", {
    width: "100%",
    height: HEIGHT,
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    class: "knp-lines",
    "aria-hidden": "true",
  });
  const levels = ticks(most, 4, true).flatMap((n) => [
    s("line", { class: "knp-grid", x1: 0, x2: "100%", y1: y(n), y2: y(n) }),
    s("text", { class: "knp-end", x: -7, y: y(n) + 4 }, String(n)),
  ]);
  const times = ticks(end, 5, false).flatMap((t) => [
    s("line", { class: "knp-grid", x1: share(t), x2: share(t), y1: HEIGHT, y2: HEIGHT + 4 }),
    s("text", { class: side(t / end), x: share(t), y: HEIGHT + 17 }, moment(t, seconds)),
  ]);
  const plot = s(
    "svg",
    { class: "knp-plot", height: HEIGHT },
    ...levels,
    ...times,
    s("text", { class: "knp-unit", x: 0, y: -9 }, words.agents),
    s(
      "text",
      { class: "knp-unit knp-end", x: "100%", y: HEIGHT + 33 },
      seconds === null ? words.share : words.time,
    ),
    band,
    inner,
    point,
  );
  const lines = new Map<string, SVGPathElement>();
  return {
    element: h("div", { class: "knp-axes" }, plot),
    plot,
    curve(name, points, until) {
      let path = lines.get(name);
      if (path === undefined) {
        path = s("path", { class: `knp-curve ${name}` });
        lines.set(name, path);
        inner.append(path);
      }
      set(path, { d: staircase(points, until, x, y) });
    },
    at(column) {
      const visibility = column === null ? "hidden" : "visible";
      set(band, { visibility });
      set(point, { visibility });
      if (column !== null) {
        const { from, to, height } = column;
        set(band, { x: share(from), width: share(to - from) });
        set(point, { cx: share((from + to) / 2), cy: y(height) });
      }
    },
  };
}

/** A label near an edge would stick out if it were centred. */
function side(share: number): string {
  return share < 0.04 ? "knp-start" : share > 0.96 ? "knp-end" : "knp-middle";
}
