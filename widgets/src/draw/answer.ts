// The answer, or what the main agent is saying at the moment.

import type { Scene } from "../pure/scene.ts";
import { h, write } from "./dom.ts";
import { Follow } from "./follow.ts";
import { harmless } from "./markdown.ts";

export class Answer {
  readonly element;
  readonly #title = h("summary");
  readonly #box = h("div", {
    class: "knw-answer",
    tabindex: 0,
    role: "region",
    "aria-label": "answer",
  });
  readonly #follow = new Follow(this.#box, true);
  /** What is shown: the one or the other. */
  #draft: HTMLElement | null = null;
  #html: string | null = null;

  constructor() {
    this.element = h("details", { class: "knw-answers", open: true }, this.#title, this.#box);
  }

  update({ draft, answer, live, run }: Scene): void {
    this.element.hidden = draft === "" && answer === "";
    this.element.classList.toggle("knw-so-far", live);
    const whole = !live && (run?.status === "finished" || run?.status === "partial");
    if (draft === "") {
      write(this.#title, whole ? "Answer" : "Answer so far");
      this.#show(answer);
    } else {
      write(this.#title, "Writing…");
      this.#write(draft);
    }
  }

  #write(draft: string): void {
    this.#html = null;
    if (this.#draft === null) {
      this.#draft = h("p", { class: "knw-draft" });
      this.#box.replaceChildren(this.#draft);
      this.#follow.anew(true);
    }
    if (this.#draft.textContent !== draft) {
      this.#draft.textContent = draft;
      this.#follow.grown();
    }
  }

  #show(html: string): void {
    if (html !== this.#html) {
      this.#html = html;
      this.#draft = null;
      this.#box.replaceChildren(harmless(html));
      this.#follow.anew(false);
    }
  }
}
