// The chosen agent: its task, messages, tool calls and images.

import type { Store } from "../host.ts";
import { stateAt } from "../pure/at.ts";
import { asOf, type Detail } from "../pure/detail.ts";
import type { Focus, Host } from "../pure/host.ts";
import type { Agent, Scene } from "../pure/scene.ts";
import { about } from "../pure/telling.ts";
import { stateWord } from "../pure/words.ts";
import { button, h, set, write } from "./dom.ts";
import { Fold } from "./fold.ts";
import { Follow } from "./follow.ts";
import type { Part } from "./header.ts";
import { Passage } from "./passage.ts";
import { Sight } from "./sight.ts";
import { TurnView } from "./turn.ts";

const NO_KERNEL =
  "No kernel answers, so its messages are not here. They are in the trace: kn.read('FILE')";

export function inspector(host: Host): Part {
  return new Inspector(host);
}

class Inspector implements Part {
  readonly element = h("aside", {
    class: "knw-inspector",
    tabindex: -1,
    hidden: true,
  });
  readonly #host: Host;
  readonly #follow = new Follow(this.element, false);
  readonly #passage = new Passage(this.element);
  readonly #sight = new Sight();
  readonly #state = h("strong");
  readonly #label = h("h3");
  readonly #about = h("p", { class: "knw-quiet" });
  readonly #doing = h("p", { class: "knw-doing" });
  readonly #near = h("p", { class: "knw-near" });
  readonly #cancel: HTMLButtonElement;
  readonly #task = new Fold("said", "task");
  readonly #tasks = h("div", { class: "knw-task" }, h("b", {}, "Task"), this.#task.element);
  readonly #prompt = new Fold("said", "system prompt");
  readonly #prompts: HTMLElement;
  readonly #note = h("p", { class: "knw-quiet" });
  readonly #turns = h("ol", { class: "knw-turns" });
  readonly #outcome = new Fold("said", "what it returned");
  readonly #returned = h("b");
  readonly #outcomes: HTMLElement;
  readonly #views = new Map<number, TurnView>();
  readonly #cancelling = new Set<string>();
  #id = "";
  #shown: Detail | null = null;
  #relatives = "";

  constructor(host: Host) {
    this.#host = host;
    this.#cancel = button("Cancel this agent", "End it now; its siblings go on", () => {
      this.#cancelling.add(this.#id);
      host.ask({ kind: "cancel", agent: this.#id });
    });
    const close = button("×", "Close (Escape)", () => host.select(""));
    set(close, { "aria-label": "Close", class: "knw-close" });
    const prompt = [h("summary", {}, "system prompt"), this.#prompt.element];
    this.#prompts = h("details", { hidden: true }, ...prompt);
    const ending = [this.#returned, this.#outcome.element];
    this.#outcomes = h("div", { class: "knw-outcomes", hidden: true }, ...ending);
    this.element.append(
      h("div", { class: "knw-chosen" }, this.#label, this.#state, close),
      this.#about,
      this.#doing,
      h("div", { class: "knw-actions" }, this.#near, this.#cancel),
      this.#tasks,
      this.#prompts,
      this.#note,
      this.#turns,
      this.#outcomes,
    );
  }

  update(store: Store, focus: Focus): void {
    if (focus.selected !== this.#id) {
      this.#choose(focus.selected);
    }
    if (this.#id !== "") {
      this.#draw(store, focus.at);
    }
  }

  dispose(): void {
    this.#sight.clear();
  }

  #choose(id: string): void {
    this.#id = id;
    this.#relatives = "";
    this.#sight.clear();
    this.#views.clear();
    this.#passage.open(id !== "", () => {
      this.#near.replaceChildren();
      this.#turns.replaceChildren();
      this.element.hidden = id === "";
      this.#follow.anew(false);
    });
  }

  #draw(store: Store, at: number | null): void {
    const { scene, silent } = store;
    const agent = scene.agents.find((other) => other?.id === this.#id);
    const detail = store.detail?.id === this.#id ? store.detail : null;
    write(this.#label, agent?.label ?? this.#id);
    set(this.element, { "aria-label": `Agent ${agent?.label ?? this.#id}` });
    if (agent !== undefined) {
      this.#tell(agent, scene, at);
      this.#relate(agent, scene);
    }
    const running = agent?.role === "sub-agent" && agent.ended === null;
    this.#cancel.hidden = !(running && scene.live && !silent);
    this.#cancel.disabled = this.#cancelling.has(this.#id);
    write(this.#cancel, this.#cancel.disabled ? "Cancelling…" : "Cancel this agent");
    write(this.#note, detail === null ? note(agent, silent) : "");
    this.#read(
      at === null || detail === null ? detail : asOf(detail, at, agent?.ended ?? null),
      agent,
      store,
      at,
    );
  }

  #tell(agent: Agent, scene: Scene, at: number | null): void {
    const state = at === null ? agent.state : stateAt(scene, agent, at);
    write(this.#state, state === "" ? "" : stateWord(state));
    set(this.#state, { class: "knw-status", "data-state": state.replaceAll("_", " ") });
    write(this.#about, about(agent, scene.now, at));
    write(this.#doing, agent.ended === null && at === null ? agent.doing : "");
  }

  /** The ways to the agents that it has to do with. */
  #relate(agent: Agent, scene: Scene): void {
    const ids = [agent.parent, ...agent.after].filter(Boolean);
    const together = ids.join(" ");
    if (together === this.#relatives) {
      return;
    }
    this.#relatives = together;
    const title = agent.parent === "" ? "It waited for this agent" : "Who launched it";
    const buttons = ids.map((id) => {
      const name = scene.agents.find((other) => other?.id === id)?.label ?? id;
      return button(`← ${name}`, title, () => this.#host.select(id));
    });
    this.#near.replaceChildren(...buttons);
  }

  #read(detail: Detail | null, agent: Agent | undefined, store: Store, at: number | null): void {
    const task = detail?.task || agent?.task || "";
    this.#task.update(task);
    this.#tasks.hidden = task === "";
    this.#prompt.update(detail?.prompt ?? "");
    this.#prompts.hidden = !detail?.prompt;
    const turns = detail?.turns ?? [];
    const main = agent?.role !== "sub-agent";
    const now = at ?? store.scene.now;
    const steps = new Set(turns.map((turn) => turn.step));
    for (const [step, view] of this.#views) {
      if (!steps.has(step)) {
        view.element.remove();
        this.#views.delete(step);
      }
    }
    for (const turn of turns) {
      const open = turn.ended === null && main && at === null;
      this.#view(turn.step).update(turn, store, now, open ? store.scene.draft : "");
    }
    const outcome = detail?.outcome ?? "";
    const said = turns.at(-1)?.text === outcome;
    this.#outcomes.hidden = said || outcome === "";
    write(this.#returned, agent?.state === "finished" ? "Returned" : "Why it ended");
    this.#outcome.update(said ? "" : outcome);
    if (detail !== this.#shown) {
      this.#shown = detail;
      this.#follow.grown();
    }
  }

  #view(step: number): TurnView {
    const known = this.#views.get(step);
    if (known !== undefined) {
      return known;
    }
    const made = new TurnView(this.#host, this.#sight, step);
    this.#views.set(step, made);
    this.#turns.append(made.element); // steps only ever come in their order
    return made;
  }
}

function note(agent: Agent | undefined, silent: boolean): string {
  if (agent === undefined) {
    return "No agent of this name has begun.";
  }
  return silent ? NO_KERNEL : "loading…";
}
