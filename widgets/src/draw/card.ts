// The prediction as a whole: the question, then a form, then what was locked and what was true.

import { type Form, fill, type Told, type Value } from "../pure/predict.ts";
import { type Asking, asking } from "./asking.ts";
import { beside } from "./beside.ts";
import { button, h, ownKeys, write } from "./dom.ts";

export class Card {
  readonly element: HTMLElement;
  readonly #form: Form;
  readonly #lock: (value: Value) => void;
  readonly #body = h("div");
  readonly #said = h("p", { class: "knp-words", role: "status" });
  readonly #foot = h("div", { class: "knp-quiet" });
  #asking: Asking | null = null;
  #locked = "";

  /** `lock` sends a value to the kernel. */
  constructor(form: Form, lock: (value: Value) => void) {
    this.#form = form;
    this.#lock = lock;
    const title = h(
      "p",
      { class: "knp-question" },
      h("span", { class: "knp-kicker" }, form.words.prediction),
      form.question,
    );
    this.element = h(
      "section",
      {
        class: "kimi-nb-view kimi-nb-predict",
        "aria-label": `${form.words.prediction}: ${form.question}`,
      },
      title,
      this.#body,
      this.#said,
      this.#foot,
    );
    ownKeys(this.element);
  }

  /** Show what the kernel has told. */
  show(told: Told): void {
    const locked = told.locked === null ? "" : `${told.locked.when} ${told.locked.words}`;
    if (told.locked === null) {
      if (this.#asking === null) {
        this.#ask(told);
      }
    } else {
      this.#answer(told, locked !== this.#locked);
    }
    this.#locked = locked;
  }

  /** Something to say about the last press of the button; "" for nothing. */
  say(text: string): void {
    write(this.#said, text);
  }

  /** Nobody has answered for a while. */
  busy(): void {
    this.say(this.#form.words.busy);
  }

  dispose(): void {
    this.#asking?.dispose();
    this.#asking = null;
  }

  #ask(told: Told): void {
    const form = asking(this.#form);
    const lock = button(this.#form.words.lock, this.#form.words.once, () => this.#press(form));
    lock.classList.add("knp-lock");
    this.#asking = form;
    this.#body.replaceChildren(
      form.element,
      h(
        "div",
        { class: "knp-buttons" },
        lock,
        ...form.buttons,
        h("span", { class: "knp-quiet" }, this.#form.words.once),
      ),
    );
    this.#foot.replaceChildren(...this.#earlier(told));
    this.say("");
  }

  #press(form: Asking): void {
    const value = form.value();
    if (value === null) {
      this.say(form.missing);
    } else {
      this.say(this.#form.words.sending);
      this.#lock(value);
    }
  }

  #answer(told: Told, fresh: boolean): void {
    const inside = this.#body.contains(this.#body.ownerDocument.activeElement);
    this.dispose();
    const { locked, outcome } = told;
    const result = h("div", { tabindex: -1, class: "knp-result" }, beside(this.#form, told));
    const { words } = this.#form;
    const when = fill(words.when, { when: locked?.when ?? "" });
    const notes = [when, ...(outcome?.notes ?? [words.next])];
    this.#body.replaceChildren(result);
    this.#foot.replaceChildren(...notes.map((note) => h("p", {}, note)), ...this.#earlier(told));
    this.say(outcome?.words ?? fill(words.locked, { said: locked?.words ?? "" }));
    if (inside && fresh) {
      result.focus({ preventScroll: true }); // what had the focus is gone
    }
  }

  #earlier(told: Told): HTMLElement[] {
    return told.earlier.map((said) => h("p", {}, fill(this.#form.words.earlier, { said })));
  }
}
