// One turn of the chosen agent: what it said, thought and called. What one has opened stays open.

import type { Store } from "../host.ts";
import type { Call, Retry, Turn } from "../pure/detail.ts";
import type { Host } from "../pure/host.ts";
import { callWords, retryWords, turnWords } from "../pure/telling.ts";
import { grouped } from "../pure/words.ts";
import { FileView, type Sight } from "./artefact.ts";
import { button, h, set, write } from "./dom.ts";
import { Fold } from "./fold.ts";

export class TurnView {
  readonly element: HTMLElement;
  readonly #host: Host;
  readonly #sight: Sight;
  readonly #words = h("span", { class: "knw-quiet" });
  readonly #retries = h("ul", { class: "knw-retries" });
  readonly #thought = h("summary");
  readonly #thinking = new Fold("said", "thinking");
  readonly #thoughts: HTMLElement;
  readonly #broken = h("p", { class: "knw-quiet" });
  readonly #text = new Fold("said");
  readonly #calls = h("ul", { class: "knw-calls" });
  readonly #views: CallView[] = [];
  #shown = 0;

  constructor(host: Host, sight: Sight, step: number) {
    this.#host = host;
    this.#sight = sight;
    this.#thoughts = h("details", { class: "knw-thoughts" }, this.#thought, this.#thinking.element);
    const head = h("p", { class: "knw-step" }, h("b", {}, `Step ${step}`), " ", this.#words);
    const { element: text } = this.#text;
    const said = [this.#broken, text];
    this.element = h("li", {}, head, this.#retries, this.#thoughts, ...said, this.#calls);
  }

  /** `draft` is what it is saying while nothing else is known of it. */
  update(turn: Turn, store: Store, now: number, draft: string): void {
    write(this.#words, turnWords(turn, now));
    this.#retry(turn.retries);
    this.#thoughts.hidden = turn.thinking === "";
    write(this.#thought, `thinking, ${grouped(turn.thinking.length)} characters`);
    this.#thinking.update(turn.thinking);
    write(this.#broken, turn.cut ? "All that came before the stream broke off:" : "");
    this.#text.update(turn.text || draft);
    while (this.#views.length > turn.calls.length) {
      this.#views.pop()?.element.remove();
    }
    for (const [place, call] of turn.calls.entries()) {
      this.#call(place, call).update(call, store, now);
    }
  }

  #call(place: number, call: Call): CallView {
    const known = this.#views[place];
    if (known?.is(call)) {
      return known;
    }
    const made = new CallView(this.#host, this.#sight, call);
    if (known === undefined) {
      this.#calls.append(made.element);
    } else {
      known.element.replaceWith(made.element);
    }
    this.#views[place] = made;
    return made;
  }

  /** They are only ever added to, but for the past, where there are fewer. */
  #retry(retries: readonly Retry[]): void {
    if (retries.length < this.#shown) {
      this.#retries.replaceChildren();
      this.#shown = 0;
    }
    for (const retry of retries.slice(this.#shown)) {
      const came = new Fold("said");
      came.update(retry.text);
      const words = h("p", {}, retryWords(retry));
      const label = h("p", {}, retry.text === "" ? "" : "What had come before it broke off:");
      this.#retries.append(h("li", {}, words, label, came.element));
    }
    this.#shown = retries.length;
  }
}

class CallView {
  readonly element: HTMLElement;
  readonly #host: Host;
  readonly #sight: Sight;
  readonly #call: number;
  readonly #tool: string;
  readonly #words = h("span", { class: "knw-outcome" });
  readonly #launched = h("span", { class: "knw-launched" });
  readonly #arguments = new Fold("code", "arguments");
  readonly #result = new Fold("code", "result");
  #file: FileView | null = null;
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

  is({ call, tool }: Call): boolean {
    return call === this.#call && tool === this.#tool;
  }

  update(call: Call, store: Store, now: number): void {
    write(this.#words, callWords(call, now));
    set(this.element, { "data-outcome": call.outcome });
    this.#arguments.update(call.arguments);
    this.#result.update(call.text);
    this.#launch(call.launched, store);
    if (call.artefact !== "" && this.#file === null) {
      this.#file = new FileView(this.#host, this.#sight, call.artefact, this.#tool);
      this.element.append(this.#file.element);
    }
    this.#file?.update(store);
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
