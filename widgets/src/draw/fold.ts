// A text that may be long: its beginning, and all of it when one asks.

import { excerpt } from "../pure/telling.ts";
import { button, h, set, write } from "./dom.ts";

export class Fold {
  readonly element: HTMLElement;
  readonly #text: HTMLElement;
  readonly #more: HTMLButtonElement;
  #whole = "";
  #open = false;

  /** `kind` is "said" for what people read, "code" for what keeps its columns. */
  constructor(kind: "said" | "code", label = "") {
    this.#text = h(kind === "code" ? "pre" : "p", { class: `knw-${kind}` });
    this.#more = button("", "", () => {
      this.#open = !this.#open;
      this.#draw();
    });
    this.#more.className = "knw-more";
    this.#more.hidden = true;
    const name = label === "" ? {} : { role: "group", "aria-label": label };
    this.element = h("div", { class: "knw-fold", hidden: true, ...name }, this.#text, this.#more);
  }

  update(text: string): void {
    if (text !== this.#whole) {
      this.#whole = text;
      this.element.hidden = text === "";
      this.#draw();
    }
  }

  #draw(): void {
    const [head, all] = excerpt(this.#whole);
    write(this.#text, this.#open ? this.#whole : head);
    this.#more.hidden = all === "";
    write(this.#more, this.#open ? "show less" : `show all ${all}`);
    set(this.#more, { "aria-expanded": String(this.#open) });
  }
}
