// What stands above the pictures: status, goal, figures, buttons, answer.

import type { Store } from "../host.ts";
import {
  answering,
  budget,
  type Figure,
  figures,
  progress,
  reason,
  remaining,
  statusWord,
  trained,
} from "../pure/headline.ts";
import type { Focus, Host } from "../pure/host.ts";
import type { Run, Scene, Training } from "../pure/scene.ts";
import { SIMULATOR } from "../pure/words.ts";
import { Actions } from "./actions.ts";
import { Answer } from "./answer.ts";
import { Clock } from "./clock.ts";
import { h, set, write } from "./dom.ts";
import { Figures } from "./figures.ts";

export interface Part {
  readonly element: HTMLElement;
  update(store: Store, focus: Focus): void;
  dispose(): void;
}

/** What the header says of a run or of a training. */
interface Headline {
  status: string;
  why: string;
  judged: string;
  name: string;
  model: string;
  simulated: boolean;
  goal: string;
  left: string;
  done: number | null;
  figures: Figure[];
  budget: Figure[];
}

export function header(host: Host): Part {
  return new Header(host);
}

class Header implements Part {
  readonly element = h("header", { class: "knw-header" });
  readonly #status = h("strong", { class: "knw-status" });
  readonly #name = h("span", { class: "knw-name" });
  readonly #simulated = h("span", { class: "knw-simulated" }, SIMULATOR);
  readonly #model = h("span", { class: "knw-quiet" });
  readonly #clock: Clock;
  readonly #left = h("span", {
    class: "knw-quiet",
    title: "An estimate from what has ended so far",
  });
  readonly #why = h("p", { class: "knw-why" });
  readonly #judged = h("p", { class: "knw-judged" });
  readonly #goal = h("summary");
  readonly #goals = h("details", { class: "knw-goal" }, this.#goal);
  readonly #bar = h("div", { class: "knw-bar", "aria-hidden": "true" }, h("i"));
  readonly #figures = new Figures("knw-counts", "figures");
  readonly #budget = new Figures("knw-budget", "spent of the budget");
  readonly #pace = h("p", { class: "knw-quiet knw-pace" });
  readonly #told = h("p", { class: "knw-told", role: "status", "aria-live": "polite" });
  readonly #announced = h("p", { class: "knw-unseen", role: "status", "aria-live": "polite" });
  readonly #actions: Actions;
  readonly #answer = new Answer();
  #known: string | null = null;
  #stale = "";

  constructor(host: Host) {
    this.#clock = new Clock(host);
    this.#actions = new Actions(host);
    const what = h(
      "div",
      { class: "knw-what" },
      this.#status,
      this.#name,
      this.#simulated,
      this.#model,
    );
    const when = h("div", { class: "knw-when" }, this.#clock.element, this.#left);
    this.element.append(
      h("div", { class: "knw-top" }, what, when, this.#actions.element),
      this.#why,
      this.#judged,
      this.#goals,
      this.#bar,
      this.#figures.element,
      this.#budget.element,
      this.#pace,
      this.#told,
      this.#announced,
      this.#answer.element,
    );
  }

  update(store: Store, focus: Focus): void {
    const { scene, silent } = store;
    const run = counted(store, focus);
    const line = run === null ? ofTraining(scene.training, scene.live) : ofRun(run, scene, focus);
    this.element.hidden = line === null;
    if (line !== null) {
      this.#draw(line, scene.live);
      this.#answer.update(scene, focus.at !== null); // in sight, or it could not scroll
      this.#announce(line, store.told, silent);
    }
    this.#clock.update(store, focus.at);
    const here = !silent && line !== null;
    this.#actions.update({
      cancel: here && scene.live,
      background: here && scene.live && scene.can_background,
      save: here && (scene.run !== null || !scene.live),
    });
    const waits = run !== null && (run.states.queued ?? 0) + (run.states.retrying ?? 0) > 0;
    write(this.#pace, scene.live && focus.at === null && waits ? scene.pace : "");
  }

  dispose(): void {
    this.#clock.dispose();
    this.#answer.dispose();
  }

  #draw(line: Headline, live: boolean): void {
    write(this.#status, line.status);
    set(this.#status, { "data-state": line.status.slice(2) });
    write(this.#name, line.name);
    write(this.#model, line.model);
    this.#simulated.hidden = !line.simulated;
    write(this.#why, line.why);
    write(this.#judged, line.judged);
    this.#judged.hidden = line.judged === "";
    write(this.#goal, line.goal);
    this.#goals.hidden = line.goal === "";
    write(this.#left, line.left);
    this.#bar.hidden = line.done === null || (line.done === 1 && !live);
    (this.#bar.firstElementChild as HTMLElement).style.width = `${(line.done ?? 0) * 100}%`;
    this.#figures.update(line.figures);
    this.#budget.update(line.budget);
  }

  /** Another status is said aloud, and makes what the kernel said before it old. */
  #announce(line: Headline, told: string, silent: boolean): void {
    const status = silent
      ? "no kernel answers"
      : [line.status.slice(2), line.why].filter(Boolean).join(": ");
    if (status !== this.#known) {
      if (this.#known !== null) {
        write(this.#announced, `${line.name} ${status}`);
        this.#stale = told;
      }
      this.#known = status;
    }
    write(this.#told, told === this.#stale ? "" : told);
  }
}

/** The counts of the time that is looked at, as far as they are here. */
function counted({ scene, past }: Store, { at }: Focus): Run | null {
  return at !== null && past !== null ? past.run : scene.run;
}

function ofRun(run: Run, scene: Scene, { at }: Focus): Headline {
  const going = scene.live || (at !== null && run.status === "running");
  return {
    status: statusWord(run.status, going),
    why: reason(run, going),
    judged: run.judged,
    name: run.name,
    model: answering(run),
    simulated: run.simulated,
    goal: run.goal,
    left: remaining(run.left_s, scene.live && at === null),
    done: progress(run),
    figures: figures(run),
    budget: budget(run),
  };
}

function ofTraining(training: Training | null, live: boolean): Headline | null {
  if (training === null) {
    return null;
  }
  const { status, why, what, rows, iterations } = training;
  return {
    status: statusWord(status || "waiting", live),
    why: why || (status === "running" && !live ? "the log ends before the training does" : ""),
    judged: "",
    name: "training",
    model: "",
    simulated: false,
    goal: what,
    left: "",
    done: iterations > 0 ? rows.length / iterations : null,
    figures: trained(training),
    budget: [],
  };
}
