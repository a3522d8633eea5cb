// How a prediction is asked for: a number, or one of a few choices. `drawing.ts` asks for a curve.

import { roomFor } from "../pure/curve.ts";
import type { ChoiceForm, Form, NumberForm, Value } from "../pure/predict.ts";
import { groupName, h, set, write } from "./dom.ts";
import { drawing } from "./drawing.ts";

/** A form that a prediction is made in. */
export interface Asking {
  readonly element: HTMLElement;
  /** Beside the Lock button. */
  readonly buttons: HTMLElement[];
  /** What to do first where there is no value yet. */
  readonly missing: string;
  /** null until something was given. */
  value(): Value | null;
  dispose(): void;
}

export function asking(form: Form): Asking {
  switch (form.kind) {
    case "number":
      return number(form);
    case "choice":
      return choice(form);
    case "curve":
      return drawing(form);
  }
}

function number(form: NumberForm): Asking {
  const box = h("input", {
    type: "number",
    class: "knp-box",
    min: form.least,
    step: form.whole ? 1 : "any",
    placeholder: "?",
    "aria-label": form.unit === "" ? form.question : `${form.question} (${form.unit})`,
  });
  const slider = h("input", {
    type: "range",
    min: Math.min(0, form.least ?? 0),
    max: form.far,
    step: form.step,
    value: 0,
    "aria-label": `${form.words.slider}: ${form.unit || form.question}`,
  });
  const far = h("span", { class: "knp-quiet" });
  const stretch = (): void => {
    write(far, Number(slider.max).toLocaleString("en-US"));
  };
  slider.addEventListener("input", () => {
    box.value = slider.value;
  });
  slider.addEventListener("change", () => {
    if (Number(slider.value) >= Number(slider.max)) {
      set(slider, { max: roomFor(Number(slider.max) * 2, form.far) });
      stretch();
    }
  });
  box.addEventListener("input", () => {
    const typed = box.valueAsNumber;
    if (Number.isFinite(typed)) {
      set(slider, { max: roomFor(typed, Number(slider.max)) });
      slider.value = String(typed);
      stretch();
    }
  });
  stretch();
  return {
    element: h(
      "div",
      { class: "knp-number" },
      h("span", { class: "knp-slider" }, h("span", { class: "knp-quiet" }, "0"), slider, far),
      h("span", { class: "knp-typed" }, box, h("span", {}, form.unit)),
    ),
    buttons: [],
    missing: form.words.type,
    value: () => (Number.isFinite(box.valueAsNumber) ? box.valueAsNumber : null),
    dispose: () => undefined,
  };
}

function choice(form: ChoiceForm): Asking {
  const name = groupName();
  const radios = form.choices.map((value) => h("input", { type: "radio", name, value }));
  const rows = radios.map((radio) => h("label", { class: "knp-choice" }, radio, radio.value));
  return {
    element: h(
      "fieldset",
      { class: "knp-choices" },
      h("legend", { class: "knp-unseen" }, form.question),
      ...rows,
    ),
    buttons: [],
    missing: form.words.choose,
    value: () => radios.find((radio) => radio.checked)?.value ?? null,
    dispose: () => undefined,
  };
}
