// The answer, or what the main agent is saying at the moment.

import type { Scene } from "../pure/scene.ts";
import { button, h, set, write } from "./dom.ts";
import { Follow } from "./follow.ts";
import { harmless } from "./markdown.ts";

export class Answer {
  readonly element;
  readonly #title = h("summary");
  readonly #text = h("div");
  readonly #box = h("div", {
    class: "knw-answer",
    tabindex: 0,
    role: "region",
    "aria-label": "answer",
  });
  readonly #more = button("show all", "", () => this.#open(!this.#whole));
  readonly #resized = new ResizeObserver(() => this.#fits());
  readonly #follow = new Follow(this.#box, true);
  /** What is shown: the one or the other. */
  #draft: HTMLElement | null = null;
  #html: string | null = null;
  /** It is as high as its text. */
  #whole = false;

  constructor() {
    this.#box.append(this.#text);
    this.#more.className = "knw-more";
    this.#more.hidden = true;
    this.element = h(
      "details",
      { class: "knw-answers", open: true },
      this.#title,
      this.#box,
      this.#more,
    );
    this.#resized.observe(this.#text);
  }

  dispose(): void {
    this.#resized.disconnect();
  }

  /** `past`: the rest of the view shows an earlier time, and no answer of then is known. */
  update({ draft, answer, live, run }: Scene, past: boolean): void {
    this.element.hidden = draft === "" && answer === "";
    this.element.classList.toggle("knw-so-far", live);
    const whole = !live && (run?.status === "finished" || run?.status === "partial");
    if (draft === "") {
      const title = whole ? "Answer" : "Answer so far";
      write(this.#title, past ? `${title}, of the latest time` : title);
      this.#show(answer);
    } else {
      write(this.#title, "Writing…");
      this.#write(draft);
    }
  }

  #open(whole: boolean): void {
    this.#whole = whole;
    this.element.classList.toggle("knw-all", whole);
    write(this.#more, whole ? "show less" : "show all");
    set(this.#more, { "aria-expanded": String(whole) });
  }

  /** Whether there is more than what is in sight; what is being written is followed instead. */
  #fits(): void {
    const more = this.#text.offsetHeight > this.#box.clientHeight;
    this.#more.hidden = !this.#whole && (this.#draft !== null || !more);
  }

  #write(draft: string): void {
    this.#html = null;
    if (this.#draft === null) {
      this.#draft = h("p", { class: "knw-draft" });
      this.#text.replaceChildren(this.#draft);
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
      this.#text.replaceChildren(harmless(html));
      this.#follow.anew(false);
    }
  }
}
