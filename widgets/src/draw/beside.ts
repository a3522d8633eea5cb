// A locked prediction, and beside it, once it is known, what was true.

import type { Points } from "../pure/curve.ts";
import { ticks } from "../pure/curve.ts";
import type { ChoiceForm, CurveForm, Form, NumberForm, Told, Value } from "../pure/predict.ts";
import { axes } from "./axes.ts";
import { h, s } from "./dom.ts";

/** Above the highest of two curves. */
const ROOM = 1.05;

/** The picture of what was said and, where it is known, of what was true. */
export function beside(form: Form, told: Told): HTMLElement | null {
  const said = told.locked?.value ?? null;
  const truth = told.outcome?.truth ?? null;
  switch (form.kind) {
    case "number":
      return typeof said === "number" && typeof truth === "number"
        ? numbers(form, told, said, truth)
        : null;
    case "choice":
      return choices(form, said, truth);
    case "curve":
      return curves(form, told, steps(said), steps(truth));
  }
}

function steps(value: Value | null): Points | null {
  return value !== null && typeof value === "object" ? value : null;
}

function numbers(form: NumberForm, told: Told, said: number, truth: number): HTMLElement {
  const low = Math.min(0, said, truth);
  const span = (Math.max(said, truth) - low) * 1.08 || 1;
  const at = (value: number): string => `${((100 * (value - low)) / span).toFixed(3)}%`;
  const marks = ticks(span, 5, form.whole).map((step) => low + step);
  const grid = marks.flatMap((value) => [
    s("line", { class: "knp-grid", x1: at(value), x2: at(value), y1: 43, y2: 49 }),
    s("text", { class: `knp-small ${anchor(at(value))}`, x: at(value), y: 62 }, brief(value)),
  ]);
  const label = (text: string, value: number, y: number): SVGElement =>
    s("text", { class: anchor(at(value)), x: at(value), y }, text);
  const line = s(
    "svg",
    { class: "knp-line", height: 98, role: "img", "aria-label": told.outcome?.words ?? "" },
    s("line", { class: "knp-axis", x1: 0, x2: "100%", y1: 46, y2: 46 }),
    ...grid,
    s("line", { class: "knp-gap", x1: at(said), x2: at(truth), y1: 46, y2: 46 }),
    label(`◇ ${form.words.said} ${told.locked?.words ?? ""}`, said, 14),
    s("line", { class: "knp-said", x1: at(said), x2: at(said), y1: 19, y2: 37 }),
    s(
      "svg",
      { x: at(said), y: 46, "aria-hidden": "true" },
      s("path", { class: "knp-diamond", d: "M0-7L7 0L0 7L-7 0Z" }),
    ),
    s("circle", { class: "knp-dot", cx: at(truth), cy: 46, r: 5.5 }),
    s("line", { class: "knp-true", x1: at(truth), x2: at(truth), y1: 53, y2: 80 }),
    label(`● ${form.words.true} ${told.outcome?.true ?? ""}`, truth, 93),
  );
  return h("div", { class: "knp-beside" }, line);
}

/** Words near an edge would stick out if they were centred. */
function anchor(share: string): string {
  const left = Number.parseFloat(share);
  return left < 25 ? "knp-start" : left > 75 ? "knp-end" : "knp-middle";
}

function brief(value: number): string {
  return Number(value.toPrecision(6)).toLocaleString("en-US");
}

function choices(form: ChoiceForm, said: Value | null, truth: Value | null): HTMLElement {
  const rows = form.choices.map((choice) => {
    const mine = choice === said;
    const right = choice === truth;
    const { words } = form;
    const tag = mine && right ? words.both : mine ? words.mine : words.right;
    const shape = right ? "✓" : mine ? "◇" : "·";
    return h(
      "li",
      { class: right ? "knp-right" : mine ? "knp-mine" : null },
      h("span", { class: "knp-shape", "aria-hidden": "true" }, shape),
      h("span", {}, choice),
      (mine || right) && h("span", { class: "knp-tag" }, tag),
    );
  });
  return h("ul", { class: "knp-answers" }, ...rows);
}

function curves(
  form: CurveForm,
  told: Told,
  said: Points | null,
  truth: Points | null,
): HTMLElement | null {
  if (said === null) {
    return null;
  }
  const own = form.seconds ?? 1;
  const ends = truth?.at(-1)?.[0] ?? own;
  // What was drawn is shown as it was drawn; both together, as large as there is room.
  const most =
    truth === null ? form.agents : Math.max(...[...said, ...truth].map(([, n]) => n)) * ROOM;
  const picture = axes(form, Math.max(own, ends), most);
  picture.plot.setAttribute("role", "img");
  picture.plot.setAttribute("aria-label", told.outcome?.words ?? told.locked?.words ?? "");
  if (truth !== null) {
    picture.curve("knp-true", truth, ends);
  }
  picture.curve("knp-said", said, own);
  return h(
    "div",
    { class: "knp-beside" },
    picture.element,
    h(
      "p",
      { class: "knp-legend" },
      sample("knp-said"),
      form.words.said,
      truth !== null && sample("knp-true"),
      truth !== null && form.words.true,
    ),
  );
}

function sample(name: string): SVGElement {
  return s(
    "svg",
    { width: 28, height: 10, "aria-hidden": "true" },
    s("path", { class: `knp-curve ${name}`, d: "M0 5H28" }),
  );
}
