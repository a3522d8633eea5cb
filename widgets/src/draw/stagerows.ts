// A row for each stage: the main agent and its slowest sub-agent, and the others that waited.

import type { Focus, Host } from "../pure/host.ts";
import type { Agent, Scene } from "../pure/scene.ts";
import {
  ahead,
  bars,
  longest,
  type Row,
  rows,
  standing,
  sum,
  waited,
  who,
} from "../pure/stages.ts";
import { count, grouped } from "../pure/words.ts";
import { h, s, set, write } from "./dom.ts";

/** Pixels of a step at most. */
const WIDEST = 110;
/** Height of the bars of the sub-agents that wait, in pixels: of one, and of all, by rows. */
const EACH = 7;
const ROOM = { few: 44, many: 22, most: 12 };
/** A step is not told apart from the next on bars of more. */
const APART = 60;
/** More rows than these are drawn closer together. */
const MANY = 9;
/** Pixels of a bar that is told apart from the next at least. */
const THICK = 3.5;

export class StageRows {
  readonly element: HTMLElement;
  readonly #list = h("ol", { class: "kcs-stages" });
  readonly #legend = legend();
  readonly #host: Host;
  readonly #items: Item[] = [];

  constructor(host: Host) {
    this.#host = host;
    this.element = h("section", {}, this.#legend, this.#list);
  }

  update(scene: Scene, focus: Focus): void {
    const all = rows(scene);
    const most = longest(all);
    this.element.hidden = all.length === 0;
    this.#legend.hidden = all.every((row) => row.subs.length === 0);
    set(this.#list, { "data-many": all.length > MANY });
    while (this.#items.length < all.length) {
      const item = new Item(this.#host);
      this.#items.push(item);
      this.#list.append(item.element);
    }
    for (const [at, item] of this.#items.entries()) {
      const row = all[at];
      item.element.hidden = row === undefined;
      if (row !== undefined) {
        item.update(row, most, roomOf(all.length), focus);
      }
    }
  }
}

class Item {
  readonly element: HTMLElement;
  readonly #title = h("strong");
  readonly #who = h("span", { class: "kcs-quiet" });
  readonly #sum = h("span", { class: "kcs-added" });
  readonly #total = h("span", { class: "kcs-quiet" });
  readonly #main = h("span", { class: "kcs-main" });
  readonly #slow = h("span", { class: "kcs-slow" });
  readonly #strip = h("div", { class: "kcs-strip" }, this.#main, this.#slow);
  readonly #bars = s("path");
  readonly #ahead = s("path", { class: "kcs-ahead" });
  readonly #chosen = s("rect", { class: "kcs-chosen" });
  readonly #others = s(
    "svg",
    { class: "kcs-others", preserveAspectRatio: "none" },
    this.#ahead,
    this.#bars,
    this.#chosen,
  );
  readonly #track = h(
    "div",
    { class: "kcs-bars", "aria-hidden": "true" },
    this.#strip,
    this.#others,
  );
  readonly #button = h("button", { type: "button", class: "kcs-link" });
  readonly #rest = h("span", { class: "kcs-quiet" });
  readonly #told = h(
    "div",
    { class: "kcs-told" },
    h("span", { class: "kcs-quiet" }, "slowest: "),
    this.#button,
    " ",
    this.#rest,
  );
  #slowest = "";
  #shown = "";

  constructor(host: Host) {
    this.#button.addEventListener("click", () => host.select(this.#slowest));
    this.element = h(
      "li",
      {},
      h("div", { class: "kcs-stage" }, this.#title, " ", this.#who),
      h("div", { class: "kcs-count" }, this.#sum, " ", this.#total),
      h("div", { class: "kcs-middle" }, this.#track, this.#told),
    );
  }

  update(row: Row, most: number, room: number, focus: Focus): void {
    const stands = standing(row, focus.at);
    const chosen = row.subs.findIndex((agent) => agent.id === focus.selected);
    const others = row.subs.slice(1);
    const [path, free] = [bars(others), ahead(others, row.most)];
    const key = [
      row.key,
      row.stages,
      row.main,
      row.most,
      row.total,
      row.subs[0]?.id,
      path,
      free,
      most,
      room,
      stands,
      chosen,
    ].join(" ");
    if (key !== this.#shown) {
      this.#shown = key;
      set(this.element, { "data-stands": stands.replace(" ", "-") || null });
      this.#write(row, stands);
      this.#draw(row, most, chosen, room);
      set(this.#bars, { d: path, class: others.length * THICK <= room ? "kcs-few" : null });
      set(this.#ahead, { d: free });
      this.#name(row, row.subs[chosen]);
    }
  }

  #write(row: Row, stands: string): void {
    write(this.#title, row.title);
    write(this.#who, who(row));
    write(this.#sum, sum(row));
    write(
      this.#total,
      stands === "not begun"
        ? stands
        : `${stands === "" ? "" : `${stands} · `}total ${grouped(row.total)}`,
    );
  }

  #draw(row: Row, most: number, chosen: number, room: number): void {
    const length = row.main + row.most;
    const cut = length > most;
    set(this.#track, { style: `max-width:${most * WIDEST}px` });
    set(this.#strip, { class: cut ? "kcs-strip kcs-cut" : "kcs-strip" });
    set(this.#main, { style: cells(Math.min(row.main, most), most) });
    set(this.#slow, { style: cells(row.most, most) });
    this.#slow.hidden = row.most === 0;
    const others = row.subs.length - 1;
    this.#others.toggleAttribute("hidden", others < 1 || row.most === 0);
    set(this.#others, {
      viewBox: `0 0 ${Math.max(row.most, 1)} ${Math.max(others, 1)}`,
      style: `height:${Math.min(Math.max(others * EACH, 6), room)}px;width:${share(row.most, most)};margin-left:${share(row.main, most)}`,
    });
    const agent = row.subs[chosen];
    const thick = Math.max(1, (others / room) * 3);
    this.#chosen.toggleAttribute("hidden", chosen < 1);
    set(this.#chosen, {
      x: 0,
      y: Math.min(chosen - 1, others - thick),
      width: agent?.steps ?? 0,
      height: thick,
    });
    set(this.#slow, { "data-chosen": chosen === 0 });
  }

  #name(row: Row, chosen: Agent | undefined): void {
    const slowest = row.subs[0];
    this.#told.hidden = slowest === undefined;
    this.#slowest = slowest?.id ?? "";
    write(this.#button, slowest?.label ?? "");
    const other = chosen === undefined || chosen === slowest;
    const told = other ? "" : ` · chosen: ${chosen.label}, ${count(chosen.steps, "step")}`;
    write(this.#rest, `${waited(row)}${told}`);
  }
}

function roomOf(rows: number): number {
  return rows <= 8 ? ROOM.few : rows <= 20 ? ROOM.many : ROOM.most;
}

function share(steps: number, most: number): string {
  return `${((steps / most) * 100).toFixed(3)}%`;
}

function cells(steps: number, most: number): string {
  return `width:${share(steps, most)};--cells:${most > APART ? 1 : Math.max(steps, 1)}`;
}

function legend(): HTMLElement {
  const entries = [
    ["kcs-main", "main agent"],
    ["kcs-slow", "slowest sub-agent"],
    ["kcs-other", "other sub-agents"],
    ["kcs-idle", "they are done and wait"],
  ];
  const parts = entries.map(([name, text]) =>
    h("span", {}, h("i", { class: name ?? null }), ` ${text}`),
  );
  return h("p", { class: "kcs-key" }, ...parts);
}
