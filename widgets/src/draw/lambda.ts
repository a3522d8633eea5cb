// The schedule of one λ: where it starts and ends, how and by when it gets there, and its curve.

import { at, type Plan, path, SHAPES, type Shape, same } from "../pure/anneal.ts";
import { groupName, h, s, set, write } from "./dom.ts";
import { type Slider, slider } from "./slider.ts";

export interface Lambda {
  readonly element: HTMLElement;
  /** The schedule as the sliders stand. */
  readonly plan: Plan;
  /** Put the sliders there. Whoever listens for moves is not told. */
  put(plan: Plan): void;
  /** Mark how much of the training is done, in [0, 1]; null for none. */
  mark(progress: number | null): void;
}

const WIDTH = 240;
const HEIGHT = 52;
/** λ at the upper edge of the curve at least. */
const LEAST = 0.5;
const TOLD: Record<Shape, string> = {
  constant: "λ stays where it starts",
  linear: "λ goes evenly from start to end",
  cosine: "λ goes slowly at first and at last",
  exponential: "λ goes fast at first, then ever more slowly",
  step: "λ stays where it starts, then jumps to its end",
};

/** `name` is as "λ_parallel", `about` says what it weighs; `moved` hears of every move by the reader. */
export function lambda(name: string, about: string, moved: () => void): Lambda {
  const changed = (): void => {
    draw();
    moved();
  };
  const weight = { least: 0, most: 1, step: 0.01, shown: (value: number) => value.toFixed(2) };
  const start = slider(
    { ...weight, name: "start", spoken: (value) => `λ start ${value.toFixed(2)}` },
    changed,
  );
  const end = slider(
    { ...weight, name: "end", spoken: (value) => `λ end ${value.toFixed(2)}` },
    changed,
  );
  start.value = end.value = 0;
  const until = byWhen(changed);
  const shapes = radios(name, changed);
  const curve = preview(name);
  const legend = h("legend", {}, name);
  const body = [
    h("p", {}, about),
    curve.element,
    shapes.element,
    start.element,
    end.element,
    until.element,
  ];
  const element = h("fieldset", { class: "kpg-lambda" }, legend, ...body);

  const plan = (): Plan => {
    const still = shapes.shape === "constant";
    return still
      ? [start.value, start.value, "constant", 1]
      : [start.value, end.value, shapes.shape, until.value];
  };

  function draw(): void {
    const drawn = plan();
    for (const other of [end, until]) {
      other.enable(drawn[2] !== "constant");
    }
    until.name(drawn[2] === "step" ? "at" : "until");
    curve.draw(drawn);
  }

  draw();
  return {
    element,
    get plan() {
      return plan();
    },
    put(next) {
      if (!same(next, plan())) {
        start.value = next[0];
        shapes.shape = next[2];
        if (next[2] !== "constant") {
          // where it was to end is kept for the next shape
          end.value = next[1];
          until.value = next[3];
        }
        draw();
      }
    },
    mark: curve.mark,
  };
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}

function byWhen(moved: () => void): Slider {
  const spoken = (value: number): string => `λ end reached at ${percent(value)} of the training`;
  const made = slider(
    { name: "until", least: 0.01, most: 1, step: 0.01, shown: percent, spoken },
    moved,
  );
  made.value = 1;
  return made;
}

function radios(name: string, moved: () => void): { element: HTMLElement; shape: Shape } {
  const group = groupName();
  const inputs = SHAPES.map((value) =>
    h("input", { type: "radio", name: group, value, checked: value === "linear" }),
  );
  const element = h("div", {
    class: "kpg-shapes",
    role: "radiogroup",
    "aria-label": `Shape of ${name}`,
  });
  element.append(
    ...inputs.map((input) =>
      h("label", { title: TOLD[input.value as Shape] }, input, h("span", {}, input.value)),
    ),
  );
  element.addEventListener("change", moved);
  return {
    element,
    get shape() {
      return SHAPES.find((_, place) => inputs[place]?.checked) ?? "linear";
    },
    set shape(next) {
      for (const input of inputs) {
        input.checked = input.value === next;
      }
    },
  };
}

interface Preview {
  element: SVGElement;
  draw(plan: Plan): void;
  mark(progress: number | null): void;
}

/** λ over the training as a small curve. */
function preview(name: string): Preview {
  const line = s("path", { class: "kpg-plan" });
  const now = s("path", { class: "kpg-now", visibility: "hidden" });
  const top = s("text", { x: WIDTH + 5, y: 8 });
  const floor = s("path", { class: "kpg-floor", d: `M0 0H${WIDTH}M0 ${HEIGHT}H${WIDTH}` });
  const words = [
    s("text", { x: WIDTH + 5, y: HEIGHT + 3 }, "0"),
    s("text", { x: 0, y: HEIGHT + 14 }, "first iteration"),
    s("text", { x: WIDTH, y: HEIGHT + 14, class: "end" }, "last"),
  ];
  const viewBox = `-2 -3 ${WIDTH + 34} ${HEIGHT + 22}`;
  const element = s(
    "svg",
    { class: "kpg-curve", viewBox, role: "img" },
    floor,
    now,
    line,
    top,
    ...words,
  );
  return {
    element,
    draw(plan) {
      const most = Math.max(LEAST, plan[0], plan[1]);
      set(line, { d: path(plan, WIDTH, HEIGHT, most) });
      write(top, most.toFixed(most < 10 ? 1 : 0));
      const points = [0, 0.25, 0.5, 0.75, 1].map(
        (part) => `${at(plan, part).toFixed(2)} at ${percent(part)}`,
      );
      set(element, { "aria-label": `${name} over the training: ${points.join(", ")}` });
    },
    mark(progress) {
      const x = (progress ?? 0) * WIDTH;
      set(now, {
        d: `M${x.toFixed(1)} 0V${HEIGHT}`,
        visibility: progress === null ? "hidden" : null,
      });
    },
  };
}
