// One turn of the chosen agent: what it said, thought and called. What one has opened stays open.

import type { Store } from "../host.ts";
import type { Call, Retry, Turn } from "../pure/detail.ts";
import type { Host } from "../pure/host.ts";
import { retryWords, turnWords } from "../pure/telling.ts";
import { grouped } from "../pure/words.ts";
import { CallView } from "./call.ts";
import { h, write } from "./dom.ts";
import { Fold } from "./fold.ts";
import type { Sight } from "./sight.ts";

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
  #last: Turn | null = null;

  constructor(host: Host, sight: Sight, step: number) {
    this.#host = host;
    this.#sight = sight;
    this.#thoughts = h("details", { class: "knw-thoughts" }, this.#thought, this.#thinking.element);
    const head = h("p", { class: "knw-step" }, h("b", {}, `Step ${step}`), " ", this.#words);
    const { element: text } = this.#text;
    const said = [this.#broken, text];
    this.element = h("li", {}, head, this.#retries, this.#thoughts, ...said, this.#calls);
  }

  /** Whether what is shown of a turn that nothing happens to any more is all there is of it. */
  #settled(turn: Turn): boolean {
    const same = turn === this.#last;
    this.#last = turn;
    const done = turn.calls.every(
      ({ ended, artefacts }) => ended !== null && artefacts.length === 0,
    );
    return same && turn.ended !== null && done;
  }

  /** `draft` is what it is saying while nothing else is known of it. */
  update(turn: Turn, store: Store, now: number, draft: string): void {
    if (this.#settled(turn)) {
      return;
    }
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
