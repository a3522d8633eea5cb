// What the page of the playground hears from its kernel, and asks of it.

import { type Model, sent } from "./host.ts";
import { type Message, nothing, type Question, type State, take } from "./pure/playground.ts";

/** Milliseconds after which a question that nobody has answered means that there is no kernel. */
const PATIENCE = 4000;

export class PlayStore {
  readonly state: State = nothing();
  /** The kernel's latest word to the reader. */
  told = "";
  /** Nobody answers: the curves stay as they are. */
  silent = false;

  readonly #model: Model;
  readonly #changed: () => void;
  readonly #listeners: [string, (...values: never[]) => void][];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(model: Model, changed: () => void) {
    this.#model = model;
    this.#changed = changed;
    this.#listeners = [
      ["msg:custom", (message: Message) => this.#hear(message)],
      ["change:snapshot", () => this.#look()],
    ];
    for (const [event, listener] of this.#listeners) {
      model.on(event, listener);
    }
    this.#look();
    this.ask({ kind: "sync" });
  }

  ask(question: Question): void {
    if (sent(this.#model, question)) {
      this.#timer ??= setTimeout(() => this.#alone(), PATIENCE);
    } else {
      this.#alone();
    }
  }

  dispose(): void {
    clearTimeout(this.#timer);
    for (const [event, listener] of this.#listeners) {
      this.#model.off(event, listener);
    }
  }

  #alone(): void {
    this.silent = true;
    this.#changed();
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
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.silent = false;
    if (message.kind === "told") {
      this.told = message.text;
    } else if (!take(this.state, message)) {
      this.ask({ kind: "sync" });
    }
    this.#changed();
  }
}
