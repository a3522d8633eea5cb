// A row of figures, each with what it is of. Only what differs is touched.

import type { Figure } from "../pure/headline.ts";
import { h, set, write } from "./dom.ts";

interface Shown {
  element: HTMLElement;
  value: HTMLElement;
  noun: HTMLElement;
}

export class Figures {
  readonly element: HTMLElement;
  readonly #shown = new Map<string, Shown>();

  constructor(name: string, label: string) {
    this.element = h("ul", { class: `knw-figures ${name}`, "aria-label": label });
  }

  update(figures: readonly Figure[]): void {
    this.element.hidden = figures.length === 0;
    const keys = new Set(figures.map((figure) => figure.key));
    for (const [key, { element }] of this.#shown) {
      element.hidden = !keys.has(key);
    }
    for (const figure of figures) {
      const { element, value, noun } = this.#place(figure.key);
      set(element, { title: figure.hint || null, "data-mark": figure.mark || null });
      write(value, figure.value);
      write(noun, figure.noun);
    }
  }

  #place(key: string): Shown {
    const known = this.#shown.get(key);
    if (known !== undefined) {
      return known;
    }
    const value = h("b");
    const noun = h("span");
    const element = h("li", {}, value, " ", noun);
    const made = { element, value, noun };
    this.#shown.set(key, made);
    this.element.append(element);
    return made;
  }
}
