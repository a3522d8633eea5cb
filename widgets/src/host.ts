// The only file that knows the widget model: messages of the kernel in, questions out.

import { type Detail, merge, type Told } from "./pure/detail.ts";
import type { Question } from "./pure/host.ts";
import { apply, type Changes, empty, type Run, type Scene, type Span } from "./pure/scene.ts";

/** What anywidget gives: the widget's traits and its messages. */
export interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  send(content: unknown): void;
  on(event: string, listener: (...values: never[]) => void): void;
  off(event: string, listener: (...values: never[]) => void): void;
}

/** Whether it could be sent: a kernel that was restarted has closed the channels of its widgets. */
export function sent(model: Model, content: unknown): boolean {
  try {
    model.send(content);
    return true;
  } catch {
    return false;
  }
}

/** The header and the critical path as they were at a time of the past. */
export interface Past {
  t: number;
  run: Run;
  path: Span[];
}

type Message =
  | ({ kind: "changes" } & Changes)
  | Told
  | ({ kind: "at" } & Past)
  | { kind: "here" }
  | { kind: "told"; text: string }
  | { kind: "artefact"; name: string; type: string; why: string };

/** A file beside the log: an image as a URL of this page, a text as it is, or why there is none. */
export interface Kept {
  url: string;
  type: string;
  text: string;
  why: string;
}

/** Milliseconds after which a question that nobody has answered means that there is no kernel. */
const PATIENCE = 4000;
/** What is shown as an image; an SVG is not, for it can do more than that. */
const IMAGES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);

/** What one view of the widget knows of its run. */
export class Store {
  readonly scene: Scene = empty();
  detail: Detail | null = null;
  past: Past | null = null;
  /** The kernel's latest word to the reader: where something was saved, what went wrong. */
  told = "";
  /** Nobody answers: what is shown is all that there is. */
  silent = false;
  /** When the kernel was last heard, as `performance.now()` counts; 0 before it was. */
  heard = 0;
  /** Files beside the log that were asked for, by name. */
  readonly files = new Map<string, Kept>();

  readonly #model: Model;
  readonly #changed: () => void;
  #waiting = 0;
  /** Id of the agent that the kernel was asked about last. */
  #asked = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners: [string, (...values: never[]) => void][];

  constructor(model: Model, changed: () => void) {
    this.#model = model;
    this.#changed = changed;
    this.#listeners = [
      ["msg:custom", (message: Message, buffers?: DataView[]) => this.#hear(message, buffers)],
      ["change:snapshot", () => this.#look()],
      ["change:selected", () => this.#chosen()],
      ["change:view", () => changed()],
    ];
    for (const [event, listener] of this.#listeners) {
      model.on(event, listener);
    }
    this.#look();
    this.ask({ kind: "sync" });
    this.#chosen();
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
    const told = question.kind === "sync" ? { ...question, since: this.scene.count } : question;
    if (sent(this.#model, told)) {
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
    for (const { url } of this.files.values()) {
      URL.revokeObjectURL(url);
    }
    this.files.clear();
  }

  #alone(): void {
    this.silent = true;
    this.#changed();
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
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.silent = false;
    this.heard = performance.now();
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
        this.past = message;
        break;
      case "here":
        break;
      case "told":
        this.told = message.text;
        break;
      case "artefact":
        this.#keep(message.name, message.type, message.why, buffers[0]);
        break;
    }
    this.#changed();
  }

  #take(changes: Changes): void {
    if (apply(this.scene, changes) !== "gap") {
      this.#waiting = 0;
    } else if (performance.now() - this.#waiting > PATIENCE || this.#waiting === 0) {
      this.#waiting = performance.now();
      this.ask({ kind: "sync" });
    }
  }

  #keep(name: string, type: string, why: string, bytes: DataView | undefined): void {
    const known = this.files.get(name);
    if (known === undefined || known.why !== "") {
      const image = bytes !== undefined && IMAGES.has(type);
      const blob = image ? new Blob([bytes as DataView<ArrayBuffer>], { type }) : null;
      const url = blob === null ? "" : URL.createObjectURL(blob);
      const text = image || bytes === undefined ? "" : new TextDecoder().decode(bytes);
      this.files.set(name, { url, type, text, why });
    }
  }
}
