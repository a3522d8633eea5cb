// The answer, or what the main agent is saying at the moment.

import type { Scene } from "../pure/scene.ts";
import { h, write } from "./dom.ts";
import { harmless } from "./markdown.ts";

/** Pixels from its end within which a text that grows is followed. */
const NEAR = 24;

export class Answer {
  readonly element;
  readonly #title = h("summary");
  readonly #box = h("div", {
    class: "knw-answer",
    tabindex: 0,
    role: "region",
    "aria-label": "answer",
  });
  #shown: string | null = null;

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
    if (this.#shown !== null) {
      this.#shown = null;
      this.#box.replaceChildren(h("p", { class: "knw-draft" }));
    }
    const box = this.#box;
    const place = box.firstElementChild ?? box.appendChild(h("p", { class: "knw-draft" }));
    const follows = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
    if (place.textContent !== draft) {
      place.textContent = draft;
      if (follows) {
        box.scrollTop = box.scrollHeight;
      }
    }
  }

  #show(html: string): void {
    if (html !== this.#shown) {
      this.#shown = html;
      this.#box.replaceChildren(harmless(html));
      this.#box.scrollTop = 0;
    }
  }
}
