// One number that is set by dragging or with the arrow keys.

import { h, set, write } from "./dom.ts";

export interface Slider {
  readonly element: HTMLElement;
  value: number;
  /** What it is called beside it. */
  name(text: string): void;
  enable(possible: boolean): void;
}

export interface Scale {
  name: string;
  least: number;
  most: number;
  step: number;
  /** The number beside it. */
  shown(value: number): string;
  /** The same for who does not see it, with what it is. */
  spoken(value: number): string;
}

export function slider(scale: Scale, moved: () => void): Slider {
  const { least, step } = scale;
  const label = h("span", { class: "kpg-name" }, scale.name);
  const input = h("input", { type: "range", min: least, max: scale.most, step });
  const output = h("span", { class: "kpg-value", "aria-hidden": "true" });
  const element = h("label", { class: "kpg-slider" }, label, input, output);
  const told = (): void => {
    const value = input.valueAsNumber;
    write(output, scale.shown(value));
    set(input, { "aria-valuetext": scale.spoken(value) });
  };
  input.addEventListener("input", () => {
    told();
    moved();
  });
  return {
    element,
    get value() {
      return input.valueAsNumber;
    },
    set value(next) {
      // A value beyond the scale makes it longer; one between two steps is kept as it is.
      set(input, {
        max: Math.max(scale.most, next),
        step: onStep(next, least, step) ? step : "any",
      });
      input.value = String(next);
      told();
    },
    name(text) {
      write(label, text);
    },
    enable(possible) {
      input.disabled = !possible;
      element.classList.toggle("kpg-off", !possible);
    },
  };
}

function onStep(value: number, least: number, step: number): boolean {
  const steps = (value - least) / step;
  return Math.abs(steps - Math.round(steps)) < 1e-6;
}
