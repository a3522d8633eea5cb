// What a view of a run knows: messages of the kernel in, questions out.

import { type Detail, merge, type Told } from "./pure/detail.ts";
import type { Question } from "./pure/host.ts";
import { apply, type Changes, empty, type Run, type Scene, type Span } from "./pure/scene.ts";
import { type Listener, type Model, Wire } from "./wire.ts";

/** The header and the critical path as they were at a time of the past. */
export interface Past {
  t: number;
  run: Run;
  path: Span[];
}

interface File {
  kind: "artefact";
  name: string;
  type: string;
  why: string;
  small?: boolean;
}

type Message =
  | ({ kind: "changes" } & Changes)
  | Told
  | ({ kind: "at" } & Past)
  | { kind: "here" }
  | { kind: "told"; text: string }
  | File;

/** A file beside the log: an image as a URL of this page, a text as it is, or why there is none. */
export interface Kept {
  url: string;
  type: string;
  text: string;
  why: string;
  /** Not the image itself: a small picture of it. */
  small: boolean;
}

/** Milliseconds between two questions for what is missing. */
const AGAIN = 4000;
/** What is shown as an image; an SVG is not, for it can do more than that. */
const IMAGES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

/** What one view of the widget knows of its run. */
export class Store {
  readonly scene: Scene = empty();
  detail: Detail | null = null;
  past: Past | null = null;
  /** The kernel's latest word to the reader: where something was saved, what went wrong. */
  told = "";
  /** Files beside the log that were asked for, by name. */
  readonly files = new Map<string, Kept>();

  readonly #model: Model;
  readonly #changed: () => void;
  #waiting = 0;
  /** The time of the past that was asked for last, and when; null once it was answered. */
  #looking: { t: number; asked: number } | null = null;
  /** The time to ask for next. */
  #next: number | null = null;
  /** Id of the agent that the kernel was asked about last. */
  #asked = "";
  readonly #wire: Wire;

  constructor(model: Model, changed: () => void) {
    this.#model = model;
    this.#changed = changed;
    const listeners: [string, Listener][] = [
      ["msg:custom", (message: Message, buffers?: DataView[]) => this.#hear(message, buffers)],
      ["change:snapshot", () => this.#look()],
      ["change:selected", () => this.#chosen()],
      ["change:view", () => changed()],
    ];
    this.#wire = new Wire(model, listeners, changed);
    this.#look();
    this.ask({ kind: "sync" });
    this.#chosen();
  }

  /** Nobody answers: what is shown is all that there is. */
  get silent(): boolean {
    return this.#wire.silent;
  }

  /** When the kernel was last heard, as `performance.now()` counts; 0 before it was. */
  get heard(): number {
    return this.#wire.at;
  }

  get selected(): string {
    return String(this.#model.get("selected") ?? "");
  }

  /** The view that the kernel asks for: "graph", "timeline", "critical" or "reward". */
  get view(): string {
    return String(this.#model.get("view") ?? "");
  }

  select(id: string): void {
    if (id !== this.selected) {
      this.#model.set("selected", id); // for this page alone: the other views in it hear of it
      this.#chosen(); // a model does not tell whoever made the change everywhere
    }
  }

  ask(question: Question): void {
    this.#wire.ask(question.kind === "sync" ? { ...question, since: this.scene.count } : question);
  }

  /**
   * Ask for the run as it was at `t`: one time after the other, for that may take long and only the
   * last counts.
   */
  lookBack(t: number): void {
    const now = performance.now();
    if (this.#looking !== null && now - this.#looking.asked < AGAIN) {
      this.#next = t;
    } else {
      this.#looking = { t, asked: now };
      this.#next = null;
      this.ask({ kind: "at", t });
    }
  }

  /** The past is not looked at any more. */
  lookAhead(): void {
    this.past = this.#looking = this.#next = null;
  }

  dispose(): void {
    this.#wire.close();
    for (const { url } of this.files.values()) {
      URL.revokeObjectURL(url);
    }
    this.files.clear();
  }

  /** The snapshot stands in for what was sent before this view was there. */
  #look(): void {
    const text = String(this.#model.get("snapshot") ?? "");
    // It is parsed only where it can be news: it may be a megabyte.
    const upTo = Number(/^\{"to":(\d+)/.exec(text)?.[1] ?? -1);
    if (upTo > this.scene.count) {
      apply(this.scene, JSON.parse(text) as Changes);
      this.#changed();
    }
  }

  #chosen(): void {
    const id = this.selected;
    if (id !== this.#asked) {
      this.#asked = id;
      this.detail = null;
      if (id !== "") {
        this.ask({ kind: "agent", id });
      }
    }
    this.#changed();
  }

  #hear(message: Message, buffers: DataView[] = []): void {
    this.#wire.heard();
    switch (message.kind) {
      case "changes":
        this.#take(message);
        break;
      case "agent":
        if (message.id === this.selected) {
          this.detail = merge(this.detail, message);
        }
        break;
      case "at":
        this.#seen(message);
        break;
      case "here":
        break;
      case "told":
        this.told = message.text;
        break;
      case "artefact":
        this.#keep(message, buffers[0]);
        break;
    }
    this.#changed();
  }

  /** Another view of the run may have asked for another time. */
  #seen(past: Past): void {
    if (past.t === this.#looking?.t) {
      this.past = past;
      this.#looking = null;
      if (this.#next !== null) {
        this.lookBack(this.#next);
      }
    }
  }

  #take(changes: Changes): void {
    if (apply(this.scene, changes) !== "gap") {
      this.#waiting = 0;
    } else if (performance.now() - this.#waiting > AGAIN || this.#waiting === 0) {
      this.#waiting = performance.now();
      this.ask({ kind: "sync" });
    }
  }

  #keep({ name, type, why, small = false }: File, bytes: DataView | undefined): void {
    const known = this.files.get(name);
    if (known === undefined || known.why !== "" || (known.small && !small)) {
      URL.revokeObjectURL(known?.url ?? "");
      const image = bytes !== undefined && IMAGES.has(type);
      const blob = image ? new Blob([bytes as DataView<ArrayBuffer>], { type }) : null;
      const url = blob === null ? "" : URL.createObjectURL(blob);
      const text = image || bytes === undefined ? "" : new TextDecoder().decode(bytes);
      this.files.set(name, { url, type, text, why, small });
    }
  }
}
