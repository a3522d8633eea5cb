// How many agents were at work over time, with the average, the peak and the time that is shown.

import { marks } from "../pure/axis.ts";
import { indexAt, peak, steps } from "../pure/curves.ts";
import type { Focus, Host, Picture } from "../pure/host.ts";
import type { Profile, Scene } from "../pure/scene.ts";
import { count, grouped, seconds } from "../pure/words.ts";
import { h, s, set, write } from "./dom.ts";

const LINE = { fill: "none", "vector-effect": "non-scaling-stroke" };

export function concurrency(host: Host): Picture {
  return new Concurrency(host);
}

class Concurrency implements Picture {
  readonly element: HTMLElement;
  readonly #said = h("span");
  readonly #area = s("path", { class: "kcs-area" });
  readonly #line = s("path", { ...LINE, class: "kcs-curve" });
  readonly #average = s("line", { ...LINE, class: "kcs-average" });
  readonly #svg = s(
    "svg",
    { preserveAspectRatio: "none", "aria-hidden": "true" },
    this.#area,
    this.#line,
    this.#average,
  );
  readonly #name = h("span", { class: "kcs-name" });
  readonly #most = h("span", { class: "kcs-most" });
  readonly #veil = h("div", { class: "kcs-veil" });
  readonly #plot: HTMLElement;
  readonly #times = h("div", { class: "kcs-times", "aria-hidden": "true" });
  readonly #resized: ResizeObserver;
  #width = 0;
  #end = 0;
  #drawn: Profile | null = null;
  #ticks = "";

  constructor(host: Host) {
    this.#plot = h(
      "div",
      { class: "kcs-profile", title: "A click goes to that time" },
      this.#svg,
      this.#most,
      this.#veil,
      this.#name,
    );
    this.#plot.addEventListener("click", (event) => {
      const part = event.offsetX / this.#plot.clientWidth;
      host.seek(Math.min(Math.max(part, 0), 1) * this.#end);
    });
    this.element = h(
      "section",
      {},
      h("h4", {}, "Agents at work"),
      h("p", { class: "kcs-quiet" }, this.#said),
      this.#plot,
      this.#times,
    );
    this.#resized = new ResizeObserver(([entry]) => {
      this.#width = entry?.contentRect.width ?? 0;
      this.#mark();
    });
    this.#resized.observe(this.#plot);
  }

  update(scene: Scene, focus: Focus): void {
    const { profile, run } = scene;
    this.element.hidden = profile.times.length === 0 || run === null;
    if (this.element.hidden || run === null) {
      return;
    }
    const end = Math.max(scene.now, profile.times.at(-1) ?? 0, 1e-3);
    const top = peak(profile.times, profile.counts);
    const most = Math.max(1, Math.ceil(top?.count ?? 1));
    if (this.#drawn !== profile || this.#end !== end) {
      this.#drawn = profile;
      this.#end = end;
      this.#draw(profile, most);
    }
    this.#level(run.average_concurrency, most);
    this.#point(focus.at);
    write(this.#said, said(scene, focus.at));
  }

  dispose(): void {
    this.#resized.disconnect();
  }

  #draw({ times, counts }: Profile, most: number): void {
    const path = steps(times, counts, this.#end, most);
    set(this.#svg, { viewBox: `0 0 ${this.#end} ${most}` });
    set(this.#line, { d: path });
    set(this.#area, { d: `${path}V${most}H0Z` });
    write(this.#most, grouped(most));
    this.#mark();
  }

  #level(average: number | null, most: number): void {
    const y = most - (average ?? 0);
    set(this.#average, {
      x1: 0,
      x2: this.#end,
      y1: y,
      y2: y,
      visibility: average === null ? "hidden" : null,
    });
    write(this.#name, average === null ? "" : `average ${average.toFixed(1)}`);
    const below = y / most < 0.2;
    set(this.#name, { style: `top:${((y / most) * 100).toFixed(1)}%`, "data-below": below });
  }

  #point(at: number | null): void {
    this.#veil.hidden = at === null;
    if (at !== null) {
      set(this.#veil, {
        style: `left:${((Math.min(at, this.#end) / this.#end) * 100).toFixed(3)}%`,
      });
    }
  }

  #mark(): void {
    const found = this.#width > 0 ? marks({ from: 0, to: this.#end }, this.#width) : [];
    const key = JSON.stringify([found, this.#end]);
    if (key !== this.#ticks) {
      this.#ticks = key;
      const texts = found.map(({ t, text }) => {
        const share = t / this.#end;
        return h(
          "span",
          {
            style: `left:${(share * 100).toFixed(2)}%`,
            "data-last": share > 0.95,
            "data-first": share < 0.02,
          },
          text,
        );
      });
      this.#times.replaceChildren(...texts);
    }
  }
}

/** The picture in words. */
function said({ profile, run }: Scene, at: number | null): string {
  const { times, counts } = profile;
  const top = peak(times, counts);
  const about = counts.every((number) => Number.isInteger(number)) ? "" : "about ";
  const parts: string[] = [];
  if (at !== null) {
    const then = counts[indexAt(times, at)] ?? 0;
    parts.push(`at ${seconds(at)}: ${about}${count(Math.round(then), "agent")}`);
  }
  if (top !== null) {
    parts.push(`peak ${about}${grouped(Math.round(top.count))} at ${seconds(top.t)}`);
  }
  const average = run?.average_concurrency ?? null;
  if (run !== null && average !== null) {
    const until = at !== null && run.wall_s <= at + 1e-6 ? " until then" : "";
    parts.push(`average ${average.toFixed(1)}${until}`);
  }
  return parts.join(" · ");
}
