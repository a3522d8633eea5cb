// The timeline for who cannot see it: a sentence, and a table of the agents.

import { stateAt } from "../pure/at.ts";
import type { Agent, Scene } from "../pure/scene.ts";
import { type Throttle, throttle } from "../pure/throttle.ts";
import { count, seconds, stateWord, word } from "../pure/words.ts";
import { h, set, write } from "./dom.ts";

/** Milliseconds at least between two changes of what is read aloud. */
const SELDOM = 1000;

/** What is told; `at` is the time of the past that is shown, null the present. */
interface Told {
  scene: Scene;
  agents: readonly Agent[];
  at: number | null;
}

export class LaneTable {
  readonly element = h("div", { class: "knl-unseen" });
  /** Keep the table, and the label of `field`, in step: not always at once. */
  readonly tell: Throttle<Told>;
  readonly #body = h("tbody");
  readonly #rows: [HTMLElement, HTMLElement, HTMLElement][] = [];

  constructor(field: HTMLElement) {
    const head = ["agent", "state", "busy in all"].map((text) => h("th", { scope: "col" }, text));
    const title = h("caption", {}, "Agents of the run");
    this.element.append(h("table", {}, title, h("thead", {}, h("tr", {}, ...head)), this.#body));
    this.tell = throttle(SELDOM, (told) => {
      set(field, { "aria-label": about(told) });
      this.#update(told);
    });
  }

  #update({ scene, agents, at }: Told): void {
    for (const [i, agent] of agents.entries()) {
      const [name, state, busy] = this.#rows[i] ?? this.#add(i);
      const then = stateAt(scene, agent, at ?? scene.now);
      write(name, agent.label);
      write(state, then === "" ? "has not begun" : stateWord(then));
      write(busy, seconds(agent.busy_s));
    }
  }

  #add(i: number): [HTMLElement, HTMLElement, HTMLElement] {
    const cells = [h("th", { scope: "row" }), h("td"), h("td")] as [
      HTMLElement,
      HTMLElement,
      HTMLElement,
    ];
    this.#body.append(h("tr", {}, ...cells));
    this.#rows[i] = cells;
    return cells;
  }
}

function about({ scene, agents, at }: Told): string {
  const t = at ?? scene.now;
  const states = new Map<string, number>();
  for (const agent of agents) {
    const state = stateAt(scene, agent, t) || "not begun";
    states.set(state, (states.get(state) ?? 0) + 1);
  }
  const parts = [...states].map(([state, number]) => `${number} ${word(state)}`);
  const through = new Set(scene.path.map(([agent]) => agent)).size;
  const path = through > 0 ? ` The critical path goes through ${count(through, "agent")}.` : "";
  const keys = " Arrow keys move, Enter chooses an agent, plus and minus zoom, 0 shows all.";
  return `Timeline of ${count(agents.length, "agent")} up to ${seconds(t)}: ${parts.join(", ")}.${path}${keys}`;
}
