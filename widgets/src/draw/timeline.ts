// The run over time: a lane for each agent.

import type { Focus, Host, Picture } from "../pure/host.ts";
import {
  horizon,
  laneHeight,
  named,
  order,
  type Plot,
  pan,
  reveal,
  shared,
  type View,
  zoom,
} from "../pure/lanes.ts";
import type { Agent, Scene } from "../pure/scene.ts";
import { button, h, set, write } from "./dom.ts";
import { type Cursor, drawOver, Tip } from "./lanecursor.ts";
import { legend } from "./lanelegend.ts";
import { CLOSER, listen, type Moves } from "./lanemoves.ts";
import type { Brush } from "./lanes.ts";
import { gutter } from "./lanescale.ts";
import { drawStill } from "./lanestill.ts";
import { LaneTable } from "./lanetable.ts";
import { type Colours, clear, colours } from "./sheet.ts";

/** Pixels: of all lanes together, around them, of a lane with its name. */
const ROOM = 520;
const TOP = 18;
const BOTTOM = 22;
const MARGIN = 18;
const TALL = 18;

export function timeline(host: Host): Picture {
  return new Timeline(host);
}

class Timeline implements Picture, Moves {
  readonly element = h("section", { class: "knl" });
  readonly #host: Host;
  readonly #field = h("div", { class: "knl-field", tabindex: 0, role: "application" });
  readonly #base = h("canvas", { "aria-hidden": "true" });
  readonly #over = h("canvas", { "aria-hidden": "true" });
  readonly #tip = new Tip();
  readonly #table = new LaneTable(this.#field);
  readonly #names: HTMLButtonElement;
  readonly #fit: HTMLButtonElement;
  readonly #shared = h("p", { class: "knl-shared", hidden: true });
  readonly #resized: ResizeObserver;
  #scene: Scene | null = null;
  #agents: Agent[] = [];
  #lanes = new Map<number, number>();
  #focus: Focus = { selected: "", at: null };
  #view: View | null = null;
  #tall = false;
  #scroll = 0;
  #width = 0;
  #plot: Plot | null = null;
  #colours: Colours | null = null;
  #gutter: [what: string, pixels: number] | null = null;
  #cursor: Cursor | null = null;
  #aloud = false;
  #frame = 0;
  #stale = true;

  constructor(host: Host) {
    this.#host = host;
    this.#names = button("Names", "Lanes high enough for names", () => this.#heighten());
    this.#fit = button("Fit", "All of the time (0)", () => this.zoom(0, 0));
    const closer = button("+", "Zoom in (+)", () => this.zoom(this.cursor().t, CLOSER));
    const farther = button("−", "Zoom out (−)", () => this.zoom(this.cursor().t, 1 / CLOSER));
    const buttons = h("div", { class: "knl-buttons" }, this.#names, farther, closer, this.#fit);
    this.#field.append(this.#base, this.#over, this.#tip.element);
    this.element.append(h("div", { class: "knl-bar" }, buttons, legend()), this.#shared);
    this.element.append(this.#field);
    this.element.append(this.#tip.spoken, this.#table.element);
    this.#resized = new ResizeObserver(([entry]) => this.#resize(entry?.contentRect.width ?? 0));
    this.#resized.observe(this.#field);
    listen(this.#field, this);
    this.#field.addEventListener("transitionrun", () => this.#recolour());
    this.#field.addEventListener("focus", () => this.#enter());
    this.#field.addEventListener("blur", () => this.point(null, false));
  }

  update(scene: Scene, focus: Focus): void {
    const known = this.#scene;
    const same = known?.count === scene.count && known.now === scene.now;
    if (!same || known.path !== scene.path || known.live !== scene.live) {
      this.#stale = true;
      this.#agents = order(scene.agents);
      this.#lanes = new Map(this.#agents.map((agent, lane) => [agent.number, lane]));
    }
    this.#scene = { ...scene }; // it is changed in place
    this.#focus = { ...focus };
    this.#width ||= this.#field.clientWidth;
    this.#draw();
    if (scene.agents.length > 0) {
      this.#table.tell({ scene: this.#scene, agents: this.#agents, at: focus.at });
    }
  }

  dispose(): void {
    cancelAnimationFrame(this.#frame);
    this.#table.tell.stop();
    this.#resized.disconnect();
  }

  // What the pointer and the keys ask for.

  plot(): Plot {
    return this.#stale || this.#plot === null ? this.#measure() : this.#plot;
  }

  cursor(): Cursor {
    const lane = this.#chosen;
    return this.#cursor ?? { lane: Math.max(lane, 0), t: this.#focus.at ?? this.#middle(lane) };
  }

  point(cursor: Cursor | null, aloud: boolean): void {
    if (cursor !== null) {
      cursor.t = Math.min(cursor.t, this.#scene?.now ?? 0);
    }
    this.#cursor = cursor;
    this.#aloud = aloud;
    if (aloud && cursor !== null) {
      this.#show(cursor);
    }
    this.#later();
  }

  zoom(t: number, factor: number): void {
    const { from, to } = this.plot();
    this.#view = factor === 0 ? null : zoom({ from, to }, this.#end, Math.max(t, from), factor);
    this.#repaint();
  }

  pan(seconds: number, down: number): void {
    if (this.#view !== null) {
      this.#view = pan(this.#view, this.#end, seconds);
    }
    this.#scroll += down;
    this.#repaint();
  }

  choose(lane: number): void {
    this.#host.select(this.#agents[lane]?.id ?? "");
  }

  seek(t: number): void {
    this.#host.seek(this.#scene !== null && t < this.#scene.now ? t : null);
  }

  // Drawing.

  /** Of what is seen of an agent's life; without one, of what is seen. */
  #middle(lane: number): number {
    const { from, to } = this.plot();
    const { began, ended } = this.#agents[lane] ?? { began: from, ended: to };
    const [first, last] = [Math.max(began, from), Math.min(ended ?? to, to)];
    return first < last ? (first + last) / 2 : (from + to) / 2;
  }

  /** Lane of the chosen agent; -1 for none. */
  get #chosen(): number {
    return this.#agents.findIndex((agent) => agent.id === this.#focus.selected);
  }

  get #end(): number {
    return horizon(this.#scene?.now ?? 0, this.#scene?.live ?? false);
  }

  /** Move what is seen so that the cursor is in it. */
  #show({ lane, t }: Cursor): void {
    const plot = this.plot();
    this.#scroll = reveal(plot, lane);
    if (this.#view !== null && (t < plot.from || t > plot.to)) {
      this.#view = pan(this.#view, this.#end, t < plot.from ? t - plot.from : t - plot.to);
    }
    this.#stale = true;
  }

  #enter(): void {
    if (this.#field.matches(":focus-visible")) {
      this.point(this.cursor(), true);
    }
  }

  #heighten(): void {
    this.#tall = !this.#tall;
    this.#scroll = this.#tall ? reveal(this.#measure(), this.cursor().lane) : 0;
    this.#repaint();
  }

  #resize(width: number): void {
    if (width !== this.#width) {
      this.#width = width;
      this.#repaint();
    }
  }

  /** The theme has changed. */
  #recolour(): void {
    this.#colours = null;
    this.#repaint();
  }

  #repaint(): void {
    this.#stale = true;
    this.#later();
  }

  #later(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #measure(): Plot {
    const lanes = this.#agents.length;
    const even = laneHeight(lanes, ROOM);
    const lane = this.#tall ? Math.max(even, TALL) : even;
    const room = this.#tall ? Math.min(lanes * lane, ROOM) : lanes * lane;
    const { from, to } = this.#view ?? { from: 0, to: this.#end };
    this.#scroll = Math.min(Math.max(this.#scroll, 0), lanes * lane - room);
    const plot = { from, to, top: TOP, bottom: TOP + room, lane, lanes, scroll: this.#scroll };
    return { ...plot, left: this.#gutter?.[1] ?? 60, right: this.#width - MARGIN };
  }

  #draw(): void {
    const scene = this.#scene;
    if (scene === null || this.#width === 0) {
      return;
    }
    const dense = window.devicePixelRatio || 1;
    if (this.#stale || this.#base.width !== Math.round(this.#width * dense)) {
      this.#stale = false;
      this.#drawBase(scene, dense);
    }
    const plot = this.plot();
    const context = clear(this.#over, this.#width, plot.bottom + BOTTOM, dense);
    const brush = { context, colours: this.#colours as Colours, dense };
    const over = { cursor: this.#cursor, selected: this.#chosen, at: this.#focus.at };
    drawOver(brush, plot, scene, this.#agents, over);
    this.#tip.show(plot, scene, this.#agents, this.#cursor, this.#aloud);
  }

  #drawBase(scene: Scene, dense: number): void {
    this.#colours ??= colours(this.#field);
    const plot = this.#measure();
    const context = clear(this.#base, this.#width, plot.bottom + BOTTOM, dense);
    const brush: Brush = { context, colours: this.#colours, dense };
    const asked = `${plot.lanes} ${plot.lane} ${this.#width}`;
    this.#gutter =
      this.#gutter?.[0] === asked ? this.#gutter : [asked, gutter(brush, this.#agents, plot)];
    plot.left = this.#gutter[1];
    this.#plot = plot;
    set(this.#field, { style: `height:${plot.bottom + BOTTOM}px` });
    set(this.#fit, { disabled: this.#view === null });
    this.#names.hidden = named(laneHeight(plot.lanes, ROOM));
    set(this.#names, { "aria-pressed": String(this.#tall) });
    this.#shared.hidden = plot.lane >= 1;
    write(this.#shared, shared(plot.lane));
    drawStill(brush, plot, scene, this.#agents, this.#lanes);
  }
}
