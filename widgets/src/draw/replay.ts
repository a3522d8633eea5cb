// The slider that goes back in time, for all pictures.

import type { Store } from "../host.ts";
import type { Focus, Host } from "../pure/host.ts";
import { speeds } from "../pure/speeds.ts";
import { seconds } from "../pure/words.ts";
import { button, h, set, write } from "./dom.ts";
import type { Part } from "./header.ts";

/** Of the slider: so fine that no step is seen. */
const FINE = 10_000;
/** Seconds that pass at most between two pictures: a page that was hidden goes on where it was. */
const LAPSE = 0.25;
/** Parts of the run that a key moves by. */
const KEYS: Record<string, number> = {
  ArrowLeft: -0.01,
  ArrowDown: -0.01,
  ArrowRight: 0.01,
  ArrowUp: 0.01,
  PageDown: -0.1,
  PageUp: 0.1,
  Home: -1,
  End: 1,
};

export function replay(host: Host): Part {
  return new Replay(host);
}

class Replay implements Part {
  readonly element = h("footer", { class: "knr", "aria-label": "Replay", hidden: true });
  readonly #host: Host;
  readonly #play: HTMLButtonElement;
  readonly #present: HTMLButtonElement;
  readonly #speed = h("select", { "aria-label": "Speed" });
  readonly #slider = h("input", {
    type: "range",
    min: 0,
    max: FINE,
    step: 1,
    "aria-label": "Time of the run",
  });
  readonly #time = h("output", { class: "knr-time" });
  #now = 0;
  #at: number | null = null;
  #speeds: number[] = [];
  #frame = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #before = 0;

  constructor(host: Host) {
    this.#host = host;
    this.#play = button("▶", "Play", () => (this.#playing ? this.#stop() : this.#start()));
    this.#present = button("End", "Back to the present", () => this.#leave());
    this.element.append(this.#play, this.#speed, this.#slider, this.#time, this.#present);
    this.#slider.addEventListener("input", () => this.#drag());
    this.#slider.addEventListener("keydown", (event) => this.#key(event));
    this.#label();
  }

  update({ scene }: Store, focus: Focus): void {
    this.element.hidden = scene.run === null || scene.training !== null || scene.now <= 0;
    this.#now = scene.now;
    this.#at = focus.at;
    const t = focus.at ?? scene.now;
    this.#offer();
    const value = String(Math.round((t / Math.max(scene.now, 1e-9)) * FINE));
    if (this.#slider.value !== value) {
      this.#slider.value = value;
    }
    const here = focus.at === null;
    const present = scene.live ? "live" : seconds(scene.now);
    const said = here ? present : `${seconds(t)} of ${seconds(scene.now)}`;
    write(this.#time, said);
    set(this.#slider, { "aria-valuetext": here && scene.live ? `live, ${seconds(t)}` : said });
    set(this.element, { class: here ? "knr" : "knr knr-past" });
    write(this.#present, scene.live ? "Now" : "End");
    set(this.#present, { disabled: here });
  }

  dispose(): void {
    this.#stop();
  }

  /** The speeds that suit the length of the run; one that was chosen stays. */
  #offer(): void {
    const offered = speeds(this.#now);
    if (offered.some((speed, i) => speed !== this.#speeds[i])) {
      const chosen = this.#speeds.length > 0 && this.#speed.value !== String(this.#speeds[1]);
      const kept = chosen ? Number(this.#speed.value) : offered[1];
      this.#speeds = offered;
      const shown = [...new Set([...offered, kept])].sort((a, b) => a - b);
      const options = shown.map((speed) => h("option", { value: speed }, `${speed}×`));
      this.#speed.replaceChildren(...options);
      this.#speed.value = String(kept);
    }
  }

  // Moving.

  #leave(): void {
    this.#stop();
    this.#host.seek(null);
  }

  #go(t: number): void {
    this.#at = t < this.#now ? Math.max(t, 0) : null;
    this.#host.seek(this.#at);
  }

  #drag(): void {
    this.#stop();
    this.#go((Number(this.#slider.value) / FINE) * this.#now);
  }

  #key(event: KeyboardEvent): void {
    const share = KEYS[event.key];
    if (share !== undefined) {
      event.preventDefault();
      this.#stop();
      this.#go((this.#at ?? this.#now) + share * this.#now);
    }
  }

  // Playing.

  get #playing(): boolean {
    return this.#frame !== 0 || this.#timer !== undefined;
  }

  /** From where it is; from the begin, where it is at the present. */
  #start(): void {
    this.#go(this.#at ?? 0);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      this.#timer = setInterval(() => this.#step(1), 1000);
    } else {
      this.#before = performance.now();
      this.#frame = requestAnimationFrame(() => this.#draw());
    }
    this.#label();
  }

  #stop(): void {
    cancelAnimationFrame(this.#frame);
    clearInterval(this.#timer);
    this.#frame = 0;
    this.#timer = undefined;
    this.#label();
  }

  #draw(): void {
    const now = performance.now();
    const passed = Math.min((now - this.#before) / 1000, LAPSE);
    this.#before = now;
    this.#frame = requestAnimationFrame(() => this.#draw());
    this.#step(passed);
  }

  /** So many seconds later on the clock of whoever looks. */
  #step(passed: number): void {
    const t = (this.#at ?? this.#now) + passed * Number(this.#speed.value);
    if (t >= this.#now) {
      this.#leave();
    } else {
      this.#go(t);
    }
  }

  #label(): void {
    write(this.#play, this.#playing ? "❚❚" : "▶");
    set(this.#play, {
      title: this.#playing ? "Pause" : "Play",
      "aria-label": this.#playing ? "Pause" : "Play",
    });
  }
}
