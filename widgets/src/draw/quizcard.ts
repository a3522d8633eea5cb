// The quiz as a whole: a group of buttons for each item, and below it what came of the answer.

import type { Form, Told } from "../pure/quiz.ts";
import { groupName, h, ownKeys, set, write } from "./dom.ts";

interface Item {
  readonly element: HTMLElement;
  show(told: Told["items"][number]): void;
}

export class QuizCard {
  readonly element: HTMLElement;
  readonly #words: Form["words"];
  readonly #title = h("p", { class: "knq-title" });
  readonly #said = h("p", { class: "knq-quiet", role: "status" });
  readonly #items: Item[];

  /** `answer` sends the number of an item, from 1 on, and a letter to the kernel. */
  constructor(form: Form, answer: (item: number, letter: string) => void) {
    this.#words = form.words;
    this.#items = form.items.map((_, index) =>
      itemOf(form, index, (letter) => {
        this.say(form.words.sending ?? "");
        answer(index + 1, letter);
      }),
    );
    this.element = h(
      "section",
      { class: "kimi-nb-view kimi-nb-quiz" },
      this.#title,
      ...this.#items.map((item) => item.element),
      this.#said,
    );
    ownKeys(this.element);
  }

  show(told: Told): void {
    write(this.#title, told.title);
    set(this.element, { "aria-label": told.title });
    for (const [index, item] of told.items.entries()) {
      this.#items[index]?.show(item);
    }
    this.say("");
  }

  say(text: string): void {
    write(this.#said, text);
  }

  busy(): void {
    this.say(this.#words.busy ?? "");
  }

  dispose(): void {
    this.element.remove();
  }
}

function itemOf(form: Form, index: number, press: (letter: string) => void): Item {
  const { asks = "", options = [] } = form.items[index] ?? {};
  const id = groupName();
  const lines = h("div", { class: "knq-lines", role: "status" });
  const buttons = options.map(([letter, says]) => {
    const mark = h("span", { class: "knq-mark" });
    const button = h(
      "button",
      { type: "button", class: "knq-option" },
      h("span", { class: "knq-letter" }, letter),
      h("span", {}, says),
      mark,
    );
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") !== "true") {
        press(letter);
      }
    });
    return { letter, button, mark };
  });
  return {
    element: h(
      "div",
      { class: "knq-item", role: "group", "aria-labelledby": id },
      h("p", { class: "knq-asks", id }, `${index + 1}. ${asks}`),
      ...buttons.map(({ button }) => button),
      lines,
    ),
    show(told) {
      for (const { letter, button, mark } of buttons) {
        const name = told.marks[letter] ?? "";
        const [shape = "", word = ""] = form.marks[name] ?? [];
        // Not disabled in earnest: what has the focus would lose it, and a reader his place.
        set(button, {
          "aria-disabled": String(told.over || name !== ""),
          class: `knq-option${name === "" ? "" : ` knq-${name}`}`,
        });
        write(mark, name === "" ? "" : `${shape} ${word}`);
      }
      if (told.lines.join("\n") !== [...lines.children].map((p) => p.textContent).join("\n")) {
        lines.replaceChildren(...told.lines.map((line) => h("p", {}, line)));
      }
    },
  };
}
