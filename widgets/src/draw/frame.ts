// The view as a whole: header, tabs, one picture, the chosen agent, the replay slider.

import type { Store } from "../host.ts";
import type { Focus, Host, Picture } from "../pure/host.ts";
import type { Scene } from "../pure/scene.ts";
import { throttle } from "../pure/throttle.ts";
import { agents } from "./agents.ts";
import { h, ownKeys, set } from "./dom.ts";
import { Frames } from "./frames.ts";
import { header } from "./header.ts";
import { inspector } from "./inspector.ts";
import { replay } from "./replay.ts";

/** Milliseconds at least between two questions about the past, while somebody drags the slider. */
const LOOK_BACK = 125;

/** The pictures of a frame by the names that the kernel has for them, in the order of their tabs. */
export type Pictures = ReadonlyMap<string, { title: string; make(host: Host): Picture }>;

export class Frame {
  readonly element = h("div", { class: "kimi-nb-view" });
  readonly #frames = new Frames(this.element, () => this.draw());
  readonly #store: Store;
  readonly #focus: Focus = { selected: "", at: null };
  readonly #host: Host;
  readonly #parts;
  readonly #pictures: Pictures;
  readonly #tabs: Map<string, HTMLButtonElement>;
  readonly #place = h("div", { class: "knw-picture", role: "tabpanel" });
  readonly #resized: ResizeObserver;
  readonly #ask = throttle(LOOK_BACK, (t: number) => this.#store.lookBack(t));
  #tab = "";
  #asked = "";
  #picture: Picture | null = null;

  constructor(store: Store, pictures: Pictures) {
    this.#store = store;
    this.#pictures = pictures;
    this.#host = {
      ask: (question) => {
        store.ask(question);
        this.later();
      },
      select: (id) => store.select(id),
      seek: (t) => this.#seek(t),
    };
    this.#parts = {
      header: header(this.#host),
      inspector: inspector(this.#host),
      replay: replay(this.#host),
      agents: agents(this.#host),
    };
    this.#tabs = new Map([...pictures].map(([tab, { title }]) => [tab, this.#button(tab, title)]));
    const tabs = h("div", { class: "knw-tabs", role: "tablist", "aria-label": "Views of the run" });
    tabs.hidden = pictures.size < 2;
    tabs.append(...this.#tabs.values());
    tabs.addEventListener("keydown", (event) => this.#walk(event));
    const { header: top, inspector: side, replay: below, agents: list } = this.#parts;
    const body = h("div", { class: "knw-body" }, this.#place, side.element);
    this.element.append(top.element, tabs, body, below.element, list.element);
    this.element.addEventListener("keydown", (event) => this.#leave(event));
    ownKeys(this.element);
    this.#resized = new ResizeObserver(() => this.later());
    this.#resized.observe(this.#place);
  }

  later(): void {
    this.#frames.later();
  }

  draw(): void {
    const store = this.#store;
    this.#choose();
    this.#focus.selected = store.selected;
    set(this.element, { "data-records": store.scene.count });
    for (const part of Object.values(this.#parts)) {
      part.update(store, this.#focus);
    }
    this.#picture?.update(this.#shown(), this.#focus);
  }

  dispose(): void {
    this.#frames.stop();
    this.#ask.stop();
    this.#resized.disconnect();
    this.#picture?.dispose();
    for (const part of Object.values(this.#parts)) {
      part.dispose();
    }
    this.element.remove();
  }

  /**
   * The scene; in the past, with the critical path and the counts of that time once they are here,
   * and until then with those of the time before.
   */
  #shown(): Scene {
    const { scene, past } = this.#store;
    const back = this.#focus.at !== null && past !== null;
    return back ? { ...scene, path: past.path, run: past.run } : scene;
  }

  #seek(t: number | null): void {
    this.#focus.at = t;
    if (t === null) {
      this.#ask.stop();
      this.#store.lookAhead();
    } else {
      this.#ask(t);
    }
    this.later();
  }

  #button(tab: string, title: string): HTMLButtonElement {
    const made = h("button", { type: "button", role: "tab", tabindex: -1 }, title);
    made.addEventListener("click", () => this.#open(tab));
    return made;
  }

  /** Open the tab that the kernel asks for, the first time and whenever it asks for another. */
  #choose(): void {
    const asked = this.#store.view;
    if (this.#tab === "" || asked !== this.#asked) {
      this.#asked = asked;
      const first = this.#pictures.keys().next().value ?? "";
      this.#open(this.#pictures.has(asked) ? asked : first);
    }
  }

  #open(tab: string): void {
    const picture = this.#pictures.get(tab);
    if (tab !== this.#tab && picture !== undefined) {
      this.#tab = tab;
      this.#picture?.dispose();
      this.#picture = picture.make(this.#host);
      this.#place.replaceChildren(this.#picture.element);
      set(this.#place, { "aria-label": picture.title });
      for (const [other, element] of this.#tabs) {
        set(element, { "aria-selected": String(other === tab), tabindex: other === tab ? 0 : -1 });
      }
      this.later();
    }
  }

  /** Escape lets go of the chosen agent, where nothing nearer took it. */
  #leave(event: KeyboardEvent): void {
    if (event.key === "Escape" && !event.defaultPrevented && this.#store.selected !== "") {
      event.preventDefault();
      this.#store.select("");
    }
  }

  #walk(event: KeyboardEvent): void {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const shown = [...this.#tabs];
    const at = shown.findIndex(([tab]) => tab === this.#tab);
    const next = step === undefined ? undefined : shown[(at + step + shown.length) % shown.length];
    if (next !== undefined) {
      event.preventDefault();
      this.#open(next[0]);
      next[1].focus();
    }
  }
}
