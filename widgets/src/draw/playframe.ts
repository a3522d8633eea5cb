// The playground as a whole: presets, the two λ, buttons; the formula and the curves beside them.

import type { PlayStore } from "../playhost.ts";
import { PRESETS, type Preset, same } from "../pure/anneal.ts";
import {
  type Dashed,
  dashed,
  meaning,
  type Question,
  REWARDS,
  type Reward,
} from "../pure/playground.ts";
import type { Training } from "../pure/scene.ts";
import { button, h, ownKeys, set, write } from "./dom.ts";
import { formula } from "./formula.ts";
import { Frames } from "./frames.ts";
import { lambda } from "./lambda.ts";
import { rewardCharts } from "./panels.ts";
import { sessions } from "./sessions.ts";

/** Milliseconds without a move after which the kernel is told where a slider stands. */
const QUIET = 200;
const DEAD =
  "The kernel does not answer: the sliders move, and the curves stay. Run the cell again.";

export class PlayFrame {
  readonly element: HTMLElement;
  readonly #frames: Frames;
  readonly #store: PlayStore;
  readonly #lambdas = {
    parallel: lambda("λ_parallel", "weighs r_parallel: sub-agents launched", () =>
      this.#moved("parallel"),
    ),
    finish: lambda("λ_finish", "weighs r_finish: sub-tasks completed", () => this.#moved("finish")),
  };
  readonly #presets = PRESETS.map((preset) => ({ preset, element: this.#preset(preset) }));
  readonly #train = button("Train", "Begin a training under these schedules", () => this.#begin());
  readonly #stop = button("Stop", "End the training after the iteration that is under way", () =>
    this.#ask({ kind: "stop" }),
  );
  readonly #told = h("p", { class: "kpg-told", role: "status" });
  readonly #meaning = h("p", { class: "kpg-meaning" });
  readonly #formula = formula();
  readonly #charts = rewardCharts((index) => this.#point(index));
  readonly #sessions = sessions();
  readonly #timers: Partial<Record<Reward, ReturnType<typeof setTimeout>>> = {};
  #at: number | null = null;
  #dashed: { key: readonly unknown[]; lines: Dashed } = { key: [], lines: {} };
  #earlier: { key: unknown; trainings: readonly Training[] } = { key: null, trainings: [] };

  constructor(store: PlayStore) {
    this.#store = store;
    const presets = h("div", { class: "kpg-presets", role: "group", "aria-label": "Presets" });
    presets.append(...this.#presets.map(({ element }) => element));
    const { parallel, finish } = this.#lambdas;
    const buttons = h("div", { class: "kpg-buttons" }, this.#train, this.#stop);
    const left = h(
      "div",
      { class: "kpg-left" },
      presets,
      parallel.element,
      finish.element,
      buttons,
      this.#told,
    );
    const right = h(
      "div",
      { class: "kpg-right" },
      this.#meaning,
      this.#formula.element,
      this.#sessions.element,
      this.#charts.element,
    );
    const body = h("div", { class: "kpg-body" }, left, right);
    this.element = h("div", { class: "kimi-nb-view kimi-nb-playground" }, body);
    ownKeys(this.element);
    this.#frames = new Frames(this.element, () => this.draw());
  }

  later(): void {
    this.#frames.later();
  }

  draw(): void {
    const { state, silent, told } = this.#store;
    const { training } = state;
    for (const reward of REWARDS) {
      if (this.#timers[reward] === undefined) {
        this.#lambdas[reward].put(state.schedules[reward]);
      }
      const done = training === null ? 0 : state.to / Math.max(training.iterations, state.to, 1);
      this.#lambdas[reward].mark(state.running ? done : null);
    }
    this.#press();
    this.#train.hidden = !state.trains;
    this.#train.disabled = state.running || silent;
    this.#stop.hidden = !state.running;
    this.#stop.disabled = silent;
    write(this.#told, silent ? DEAD : told);
    write(this.#meaning, meaning(state));
    this.#formula.update(state, this.#at);
    this.#sessions.update(state);
    this.#charts.element.hidden = training === null;
    if (training !== null) {
      this.#charts.update(training, this.#lines(), this.#before());
    }
  }

  dispose(): void {
    this.#frames.stop();
    for (const timer of Object.values(this.#timers)) {
      clearTimeout(timer);
    }
    this.#charts.dispose();
    this.element.remove();
  }

  /** The same object as long as nothing of it changes: the charts draw anew for another. */
  #lines(): Dashed {
    const { state } = this.#store;
    const key = [state.run, state.lambdas, state.totals, state.running, state.to];
    if (key.some((part, at) => part !== this.#dashed.key[at])) {
      this.#dashed = { key, lines: dashed(state) };
    }
    return this.#dashed.lines;
  }

  #before(): readonly Training[] {
    const { earlier } = this.#store.state;
    if (earlier !== this.#earlier.key) {
      this.#earlier = { key: earlier, trainings: earlier.map(({ rewards }) => rewards).reverse() };
    }
    return this.#earlier.trainings;
  }

  #preset(preset: Preset): HTMLButtonElement {
    return button(preset.name, preset.told, () => {
      for (const reward of REWARDS) {
        this.#lambdas[reward].put(preset[reward]);
        this.#rest(reward);
      }
      this.#set(REWARDS);
    });
  }

  /** Show which preset the sliders stand at. */
  #press(): void {
    for (const { preset, element } of this.#presets) {
      const there = REWARDS.every((reward) => same(this.#lambdas[reward].plan, preset[reward]));
      set(element, { "aria-pressed": String(there) });
    }
  }

  #moved(reward: Reward): void {
    this.#rest(reward);
    this.#timers[reward] = setTimeout(() => {
      this.#rest(reward);
      this.#set([reward]);
    }, QUIET);
    this.#press();
  }

  #rest(reward: Reward): void {
    clearTimeout(this.#timers[reward]);
    delete this.#timers[reward];
  }

  #set(rewards: readonly Reward[]): void {
    const { state } = this.#store;
    const schedules: Partial<Record<Reward, (typeof state.schedules)[Reward]>> = {};
    for (const reward of rewards) {
      const { plan } = this.#lambdas[reward];
      schedules[reward] = state.schedules[reward] = state.awaited[reward] = plan;
    }
    this.#ask({ kind: "set", schedules });
  }

  #begin(): void {
    for (const reward of REWARDS) {
      this.#rest(reward);
    }
    this.#at = null;
    const { parallel, finish } = this.#lambdas;
    this.#ask({ kind: "train", schedules: { parallel: parallel.plan, finish: finish.plan } });
  }

  #ask(question: Question): void {
    this.#store.told = "";
    this.#store.ask(question);
    this.later();
  }

  #point(index: number | null): void {
    if (index !== this.#at) {
      this.#at = index;
      this.#formula.update(this.#store.state, index);
    }
  }
}
