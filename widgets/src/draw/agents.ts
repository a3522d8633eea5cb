// All agents as a list: whatever can be chosen in a picture can be chosen here.

import type { Store } from "../host.ts";
import { stateAt } from "../pure/at.ts";
import type { Focus, Host } from "../pure/host.ts";
import { type Order, roll, took } from "../pure/roll.ts";
import type { Agent, Scene } from "../pure/scene.ts";
import { count, seconds, stateWord } from "../pure/words.ts";
import { h, set, write } from "./dom.ts";
import type { Part } from "./header.ts";

const ORDERS: Record<Order, string> = { state: "state", time: "longest first", start: "start" };
/** Milliseconds between two looks at the whole list, at which rows may change their places. */
const CALM = 1000;
const STEPS: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };

interface Row {
  /** As it was shown last. */
  agent: Agent | null;
  element: HTMLElement;
  state: HTMLElement;
  label: HTMLElement;
  steps: HTMLElement;
  time: HTMLElement;
  doing: HTMLElement;
}

export function agents(host: Host): Part {
  return new Agents(host);
}

class Agents implements Part {
  readonly element: HTMLDetailsElement;
  readonly #host: Host;
  readonly #title = h("summary");
  readonly #find = h("input", { type: "search", placeholder: "find", "aria-label": "Find agents" });
  readonly #order = h("select", { "aria-label": "Order" });
  readonly #list = h("ul", { role: "listbox", "aria-label": "Agents" });
  readonly #none = h("p", { class: "knw-quiet" });
  readonly #rows = new Map<string, Row>();
  #last: { store: Store; focus: Focus } | null = null;
  #ordered = -Infinity;
  #listed: readonly Agent[] = [];
  #current = "";
  #chosen = "";

  constructor(host: Host) {
    this.#host = host;
    for (const [order, words] of Object.entries(ORDERS)) {
      this.#order.append(h("option", { value: order }, words));
    }
    const tools = h("div", { class: "knw-roll" }, this.#find, h("label", {}, "by ", this.#order));
    this.element = h(
      "details",
      { class: "knw-agents" },
      this.#title,
      tools,
      this.#list,
      this.#none,
    );
    this.element.addEventListener("toggle", () => this.#again());
    this.#find.addEventListener("input", () => this.#again());
    this.#order.addEventListener("change", () => this.#again());
    this.#list.addEventListener("keydown", (event) => this.#walk(event));
  }

  update(store: Store, focus: Focus): void {
    this.#last = { store, focus };
    const { agents: known } = store.scene;
    this.element.hidden = known.length === 0;
    write(this.#title, `Agents (${known.length})`);
    if (this.element.open) {
      this.#draw(store.scene, focus);
    }
  }

  dispose(): void {
    this.#last = null;
  }

  #again(): void {
    this.#ordered = -Infinity;
    if (this.#last !== null) {
      this.update(this.#last.store, this.#last.focus);
    }
  }

  #draw(scene: Scene, focus: Focus): void {
    const time = performance.now();
    const all = time - this.#ordered > CALM || scene.agents.length !== this.#rows.size;
    const chosen = `${focus.selected} ${focus.at}`;
    if (all) {
      this.#ordered = time;
      const order = this.#order.value as Order;
      this.#place(roll(scene.agents, this.#find.value, order, scene.now));
    }
    for (const { number, id } of this.#listed) {
      const agent = scene.agents[number];
      const row = this.#rows.get(id);
      if (agent === undefined || row === undefined) {
        continue;
      }
      // Of the others only the time has gone on, which can wait.
      if (all || row.agent !== agent || chosen !== this.#chosen) {
        row.agent = agent;
        fill(row, agent, scene, focus);
      }
    }
    this.#chosen = chosen;
  }

  /** Rows in their order; not while one of them has the focus, which moving it would take. */
  #place(wanted: readonly Agent[]): void {
    const ids = new Set(wanted.map(({ id }) => id));
    for (const [id, { element }] of this.#rows) {
      element.hidden = !ids.has(id);
    }
    const rows = wanted.map((agent) => this.#row(agent.id).element);
    const shown = [...this.#list.children].filter((row) => !(row as HTMLElement).hidden);
    const moved = rows.some((row, place) => row !== shown[place]);
    if (moved && !this.#list.matches(":focus-within")) {
      this.#list.append(...rows);
    }
    this.#listed = wanted;
    write(this.#none, wanted.length === 0 ? "No agent has this in its name, state or task." : "");
    if (!ids.has(this.#current)) {
      this.#stop(wanted[0]?.id ?? "");
    }
  }

  #row(id: string): Row {
    const known = this.#rows.get(id);
    if (known !== undefined) {
      return known;
    }
    const [state, label, steps, time, doing] = ["state", "label", "steps", "time", "doing"].map(
      (name) => h("span", { class: `knw-row-${name}` }),
    ) as [HTMLElement, HTMLElement, HTMLElement, HTMLElement, HTMLElement];
    const element = h("li", { role: "option", tabindex: -1 }, state, label, steps, time, doing);
    element.addEventListener("click", () => {
      this.#stop(id);
      this.#host.select(id);
    });
    const made = { agent: null, element, state, label, steps, time, doing };
    this.#rows.set(id, made);
    this.#list.append(element);
    element.dataset.id = id;
    return made;
  }

  /** The row that Tab leads to. */
  #stop(id: string): void {
    const before = this.#rows.get(this.#current);
    if (before !== undefined) {
      set(before.element, { tabindex: -1 });
    }
    this.#current = id;
    const now = this.#rows.get(id);
    if (now !== undefined) {
      set(now.element, { tabindex: 0 });
    }
  }

  #walk(event: KeyboardEvent): void {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      this.#host.select(this.#current);
      return;
    }
    const rows = ([...this.#list.children] as HTMLElement[]).filter((row) => !row.hidden);
    const at = rows.findIndex((row) => row.dataset.id === this.#current);
    const ends: Record<string, number> = { Home: -rows.length, End: rows.length };
    const step = STEPS[event.key] ?? ends[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const next = rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
      this.#stop(next?.dataset.id ?? "");
      next?.focus();
    }
  }
}

function fill(row: Row, agent: Agent, scene: Scene, { selected, at }: Focus): void {
  const state = at === null ? agent.state : stateAt(scene, agent, at);
  set(row.element, { "aria-selected": String(agent.id === selected), "data-state": state });
  write(row.state, state === "" ? "· not yet" : stateWord(state));
  write(row.label, agent.label);
  write(row.steps, count(agent.steps, "step"));
  write(row.time, seconds(took(agent, scene.now)));
  write(row.doing, agent.ended === null ? agent.doing : agent.task);
}
