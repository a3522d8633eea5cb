// What the page of the playground hears from its kernel, and asks of it.

import { type Message, nothing, type Question, type State, take } from "./pure/playground.ts";
import { type Listener, type Model, Wire } from "./wire.ts";

export class PlayStore {
  readonly state: State = nothing();
  /** The kernel's latest word to the reader. */
  told = "";

  readonly #model: Model;
  readonly #changed: () => void;
  readonly #wire: Wire;

  constructor(model: Model, changed: () => void) {
    this.#model = model;
    this.#changed = changed;
    const listeners: [string, Listener][] = [
      ["msg:custom", (message: Message) => this.#hear(message)],
      ["change:snapshot", () => this.#look()],
    ];
    this.#wire = new Wire(model, listeners, changed);
    this.#look();
    this.ask({ kind: "sync" });
  }

  /** Nobody answers: the curves stay as they are. */
  get silent(): boolean {
    return this.#wire.silent;
  }

  ask(question: Question): void {
    this.#wire.ask(question);
  }

  dispose(): void {
    this.#wire.close();
  }

  /** The snapshot stands in for what was sent before this view was there. */
  #look(): void {
    const text = String(this.#model.get("snapshot") ?? "");
    if (text !== "" && this.state.training === null) {
      take(this.state, JSON.parse(text) as Exclude<Message, { kind: "told" }>);
      this.#changed();
    }
  }

  #hear(message: Message): void {
    this.#wire.heard();
    if (message.kind === "told") {
      this.told = message.text;
      this.state.awaited = {}; // it may be why the kernel has not taken what was set
    } else if (!take(this.state, message)) {
      this.ask({ kind: "sync" });
    }
    this.#changed();
  }
}
