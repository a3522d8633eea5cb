// What one can do with a run: cancel it, set the notebook free, save it.

import type { Host } from "../pure/host.ts";
import { button, h, write } from "./dom.ts";

export interface May {
  cancel: boolean;
  background: boolean;
  save: boolean;
}

export class Actions {
  readonly element = h("div", { class: "knw-actions" });
  readonly #cancel: HTMLButtonElement;
  readonly #background: HTMLButtonElement;
  readonly #save: HTMLDetailsElement;
  #cancelling = false;

  constructor(host: Host) {
    this.#cancel = button("Cancel", "End the run now; what was done is kept", () => {
      this.#cancelling = true;
      this.#draw();
      host.ask({ kind: "cancel" });
    });
    const free = "Let it go on, and give the notebook back";
    this.#background = button("To background", free, () => host.ask({ kind: "background" }));
    this.#save = menu(host);
    this.element.append(this.#cancel, this.#background, this.#save);
  }

  update(may: May): void {
    this.#cancelling &&= may.cancel;
    this.#cancel.hidden = !may.cancel;
    this.#background.hidden = !may.background;
    this.#save.hidden = !may.save;
    this.#draw();
  }

  #draw(): void {
    this.#cancel.disabled = this.#cancelling;
    write(this.#cancel, this.#cancelling ? "Cancelling…" : "Cancel");
  }
}

function menu(host: Host): HTMLDetailsElement {
  const title = h("summary", {}, "Save");
  const items = h("div", { class: "knw-menu" });
  const made = h("details", { class: "knw-save" }, title, items);
  const close = (): void => {
    made.open = false;
  };
  for (const [what, hint] of [
    ["trace", "Every fact of the run, as a .jsonl file beside the notebook"],
    ["report", "One HTML page, beside the notebook"],
  ] as const) {
    const press = (): void => {
      close();
      title.focus();
      host.ask({ kind: "save", what });
    };
    items.append(button(`Save as ${what}`, hint, press));
  }
  made.addEventListener("focusout", ({ relatedTarget }) => {
    if (!(relatedTarget instanceof Node && made.contains(relatedTarget))) {
      close();
    }
  });
  made.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && made.open) {
      event.preventDefault(); // or the chosen agent would close too
      close();
      title.focus();
    }
  });
  return made;
}
