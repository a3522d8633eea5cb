// A tool call of the chosen agent: what it was given, what came of it, and whom it launched.

import type { Store } from "../host.ts";
import type { Call } from "../pure/detail.ts";
import type { Host } from "../pure/host.ts";
import { callWords } from "../pure/telling.ts";
import { FileView } from "./artefact.ts";
import { button, h, set, write } from "./dom.ts";
import { Fold } from "./fold.ts";
import type { Sight } from "./sight.ts";

export class CallView {
  readonly element: HTMLElement;
  readonly #host: Host;
  readonly #sight: Sight;
  readonly #call: number;
  readonly #tool: string;
  readonly #words = h("span", { class: "knw-outcome" });
  readonly #launched = h("span", { class: "knw-launched" });
  readonly #arguments = new Fold("code", "arguments");
  readonly #result = new Fold("code", "result");
  readonly #files: FileView[] = [];
  #ids = "";

  constructor(host: Host, sight: Sight, { call, tool }: Call) {
    this.#host = host;
    this.#sight = sight;
    this.#call = call;
    this.#tool = tool;
    const head = h("p", {}, h("code", {}, tool), " ", this.#words);
    const given = this.#arguments.element;
    this.#result.element.classList.add("knw-result");
    this.element = h("li", {}, head, this.#launched, given, this.#result.element);
  }

  /** Whether it shows that call, and can go on to. */
  is({ call, tool }: Call): boolean {
    return call === this.#call && tool === this.#tool;
  }

  update(call: Call, store: Store, now: number): void {
    write(this.#words, callWords(call, now));
    set(this.element, { "data-outcome": call.outcome });
    this.#arguments.update(call.arguments);
    this.#result.update(call.text);
    this.#launch(call.launched, store);
    for (const name of call.artefacts.slice(this.#files.length)) {
      const file = new FileView(this.#host, this.#sight, name, this.#tool);
      this.#files.push(file);
      this.element.append(file.element);
    }
    for (const file of this.#files) {
      file.update(store);
    }
  }

  #launch(ids: readonly string[], store: Store): void {
    const together = ids.join(" ");
    if (together !== this.#ids) {
      this.#ids = together;
      const buttons = ids.map((id) => {
        const name = store.scene.agents.find((agent) => agent?.id === id)?.label ?? id;
        return button(`→ ${name}`, "Go to this sub-agent", () => this.#host.select(id));
      });
      this.#launched.replaceChildren(...buttons);
    }
  }
}
