// What the trainings of this session came to: a row for each, with the line that it is drawn by.

import { type CameTo, figure, number, type State, unbroken } from "../pure/playground.ts";
import { h, s, write } from "./dom.ts";
import { EARLIER } from "./panels.ts";

export interface Sessions {
  readonly element: HTMLElement;
  update(state: State): void;
}

const COLUMNS = [
  ["r_perf", "r_perf", (value: number) => figure(value)],
  ["sub_agents", "sub-agents", (value: number) => figure(value, 1)],
  ["critical_steps", "critical steps", (value: number) => figure(value, 1)],
  ["total_steps", "total steps", (value: number) => figure(value, 1)],
  ["success", "success", (value: number) => figure(value * 100, 0, " %")],
] as const;

export function sessions(): Sessions {
  const body = h("tbody");
  const heads = ["training", "λ", ...COLUMNS.map(([, name]) => name)];
  const head = h(
    "tr",
    {},
    ...heads.map((name, at) => h("th", { scope: "col", class: at > 1 ? "kpg-n" : null }, name)),
  );
  const caption = h(
    "caption",
    {},
    "Trainings of this session: means over their last iterations, for each task",
  );
  const table = h("table", {}, caption, h("thead", {}, head), body);
  const element = h(
    "div",
    {
      class: "kpg-sessions",
      tabindex: 0,
      role: "region",
      "aria-label": "Trainings of this session",
    },
    table,
  );
  let shown = "";
  return {
    element,
    update(state) {
      element.hidden = state.earlier.length === 0;
      const before = [...state.earlier].reverse();
      const now = { run: state.run, label: state.recorded, came_to: state.came_to };
      const key = JSON.stringify([now, before.map(({ run }) => run)]);
      if (key !== shown) {
        shown = key;
        body.replaceChildren(
          row(now.run, now.label, now.came_to, null),
          ...before.map((one, at) => row(one.run, one.label, one.came_to, EARLIER[at] ?? [])),
        );
      }
    },
  };
}

/** `dash` of the line that it is drawn by; null is the training that is shown. */
function row(
  run: number,
  label: string,
  values: CameTo,
  dash: readonly number[] | null,
): HTMLElement {
  const line = s("line", {
    x1: 0,
    y1: 4,
    x2: 28,
    y2: 4,
    "stroke-dasharray": dash?.join(" ") || null,
  });
  const swatch = s("svg", { width: 28, height: 8, "aria-hidden": "true" }, line);
  const name = h("th", { scope: "row" }, swatch, ` ${run}`);
  write(name.appendChild(h("span", { class: "kpg-quiet" })), dash === null ? " shown" : "");
  const figures = COLUMNS.map(([column, , told]) =>
    h("td", { class: "kpg-n" }, told(number(values[column]))),
  );
  return h(
    "tr",
    { class: dash === null ? "kpg-current" : null },
    name,
    h("td", {}, unbroken(label)),
    ...figures,
  );
}
