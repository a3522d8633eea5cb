// The line between a page and its kernel: questions out, messages in, and whether anybody is there.

/** What anywidget gives: the widget's traits and its messages. */
export interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(content: unknown): void;
  on(event: string, listener: Listener): void;
  off(event: string, listener: Listener): void;
}

export type Listener = (...values: never[]) => void;

/** Milliseconds after which a question that nobody has answered means that there is no kernel. */
const PATIENCE = 4000;

export class Wire {
  /** Nobody answers: what is shown is all that there is. */
  silent = false;
  /** When the kernel was last heard, as `performance.now()` counts; 0 before it was. */
  at = 0;
  readonly #model: Model;
  readonly #listeners: [string, Listener][];
  readonly #changed: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `changed` hears that nobody answers. */
  constructor(model: Model, listeners: [string, Listener][], changed: () => void) {
    this.#model = model;
    this.#listeners = listeners;
    this.#changed = changed;
    for (const [event, listener] of listeners) {
      model.on(event, listener);
    }
  }

  ask(question: unknown): void {
    try {
      this.#model.send(question);
      this.#timer ??= setTimeout(() => this.#alone(), PATIENCE);
    } catch {
      this.#alone(); // a kernel that was restarted has closed the channels of its widgets
    }
  }

  /** Something has come from the kernel. */
  heard(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.silent = false;
    this.at = performance.now();
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const [event, listener] of this.#listeners) {
      this.#model.off(event, listener);
    }
  }

  #alone(): void {
    this.silent = true;
    this.#changed();
  }
}
