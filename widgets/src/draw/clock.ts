// How long the run has taken. It goes on between two messages, and stops when nobody answers.

import type { Store } from "../host.ts";
import { elapsed } from "../pure/headline.ts";
import type { Host } from "../pure/host.ts";
import { seconds } from "../pure/words.ts";
import { h, write } from "./dom.ts";

/** Milliseconds between two looks at the clock. */
const TICK = 100;
/** Milliseconds without a word after which the kernel is asked whether it is there. */
const DOUBT = 4000;

export class Clock {
  readonly element = h("span", { class: "knw-clock" });
  readonly #host: Host;
  #store: Store | null = null;
  #at: number | null = null;
  #asked = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(host: Host) {
    this.#host = host;
  }

  update(store: Store, at: number | null): void {
    this.#store = store;
    this.#at = at;
    const ticks = store.scene.live && !store.silent;
    if (ticks) {
      this.#timer ??= setInterval(() => this.#tick(), TICK);
    } else {
      this.dispose();
    }
    this.#draw();
  }

  dispose(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const heard = this.#store?.heard ?? 0;
    if (performance.now() - heard > DOUBT && heard !== this.#asked) {
      this.#asked = heard; // once for each silence
      this.#host.ask({ kind: "sync" });
    }
    this.#draw();
  }

  #draw(): void {
    const store = this.#store;
    if (store !== null) {
      const { scene, silent, heard } = store;
      const ticks = scene.live && !silent && heard > 0;
      const now = elapsed(scene.now, (performance.now() - heard) / 1000, ticks);
      write(this.element, words(now, this.#at, scene.live && silent));
    }
  }
}

function words(now: number, at: number | null, lost: boolean): string {
  if (at !== null) {
    return `at ${seconds(at)} of ${seconds(now)}`;
  }
  return lost ? `no kernel answers: as of ${seconds(now)}` : seconds(now);
}
