// The view as a whole: header, tabs, one picture, the chosen agent, the replay slider.

import type { Store } from "../host.ts";
import type { Focus, Host, Picture } from "../pure/host.ts";
import type { Scene } from "../pure/scene.ts";
import { agents } from "./agents.ts";
import { throttle } from "../pure/throttle.ts";
import { critical } from "./critical.ts";
import { h, set } from "./dom.ts";
import { graph } from "./graph.ts";
import { header } from "./header.ts";
import { inspector } from "./inspector.ts";
import { replay } from "./replay.ts";
import { reward } from "./reward.ts";
import { timeline } from "./timeline.ts";

/** Milliseconds at least between two questions about the past, while somebody drags the slider. */
const LOOK_BACK = 125;

const PICTURES = { graph, timeline, critical, reward };
type Tab = keyof typeof PICTURES;
const TITLES: Record<Tab, string> = {
  graph: "Graph",
  timeline: "Timeline",
  critical: "Critical steps",
  reward: "Reward",
};

export class Frame {
  readonly element = h("div", { class: "kimi-nb-view" });
  readonly #store: Store;
  readonly #focus: Focus = { selected: "", at: null };
  readonly #host: Host;
  readonly #parts;
  readonly #tabs: Map<Tab, HTMLButtonElement>;
  readonly #place = h("div", { class: "knw-picture", role: "tabpanel" });
  readonly #resized: ResizeObserver;
  readonly #ask = throttle(LOOK_BACK, (t: number) => this.#store.ask({ kind: "at", t }));
  #tab: Tab | null = null;
  #asked = "";
  #picture: Picture | null = null;
  #frame = 0;

  constructor(store: Store) {
    this.#store = store;
    this.#host = {
      ask: (question) => store.ask(question),
      select: (id) => store.select(id),
      seek: (t) => this.#seek(t),
    };
    this.#parts = {
      header: header(this.#host),
      inspector: inspector(this.#host),
      replay: replay(this.#host),
      agents: agents(this.#host),
    };
    this.#tabs = new Map(
      (Object.keys(PICTURES) as Tab[]).map((tab) => [tab, this.#button(tab)]),
    );
    const tabs = h("div", { class: "knw-tabs", role: "tablist", "aria-label": "Views of the run" });
    tabs.append(...this.#tabs.values());
    tabs.addEventListener("keydown", (event) => this.#walk(event));
    const { header: top, inspector: side, replay: below, agents: list } = this.#parts;
    const body = h("div", { class: "knw-body" }, this.#place, side.element);
    this.element.append(top.element, tabs, body, below.element, list.element);
    this.element.addEventListener("keydown", (event) => this.#leave(event));
    this.#resized = new ResizeObserver(() => this.later());
    this.#resized.observe(this.#place);
  }

  /** Draw with the next frame; however often it is asked for, once. */
  later(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.draw();
    });
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
    cancelAnimationFrame(this.#frame);
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
      this.#store.past = null;
    } else {
      this.#ask(t);
    }
    this.later();
  }

  #button(tab: Tab): HTMLButtonElement {
    const made = h("button", { type: "button", role: "tab", tabindex: -1 }, TITLES[tab]);
    made.addEventListener("click", () => this.#open(tab));
    return made;
  }

  /** Open the tab that the kernel asks for, the first time and whenever it asks for another. */
  #choose(): void {
    const { scene, view } = this.#store;
    const training = scene.training !== null;
    for (const [tab, element] of this.#tabs) {
      element.hidden = (tab === "reward") !== training;
    }
    const asked = training ? "reward" : view;
    if (this.#tab === null || asked !== this.#asked) {
      this.#asked = asked;
      this.#open(asked in PICTURES ? (asked as Tab) : "graph");
    }
  }

  #open(tab: Tab): void {
    if (tab !== this.#tab) {
      this.#tab = tab;
      this.#picture?.dispose();
      this.#picture = PICTURES[tab](this.#host);
      this.#place.replaceChildren(this.#picture.element);
      set(this.#place, { "aria-label": TITLES[tab] });
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
    const shown = [...this.#tabs].filter(([, element]) => !element.hidden);
    const at = shown.findIndex(([tab]) => tab === this.#tab);
    const next = step === undefined ? undefined : shown[(at + step + shown.length) % shown.length];
    if (next !== undefined) {
      event.preventDefault();
      this.#open(next[0]);
      next[1].focus();
    }
  }
}
