// What is left of a run's budget: a bar for each limit.

import { type Limit, limits } from "../pure/limits.ts";
import type { Run } from "../pure/scene.ts";
import { h, set, write } from "./dom.ts";

interface Row {
  element: HTMLElement;
  what: HTMLElement;
  bar: HTMLElement;
  spent: HTMLElement;
  left: HTMLElement;
}

export class Limits {
  readonly element: HTMLElement;
  readonly #list = h("ul", { class: "kcs-limits" });
  readonly #rows: Row[] = [];

  constructor() {
    this.element = h("section", {}, h("h4", {}, "Budget"), this.#list);
    this.element.hidden = true;
  }

  update(run: Run | null): void {
    const all = run === null ? [] : limits(run);
    this.element.hidden = all.length === 0;
    while (this.#rows.length < all.length) {
      this.#rows.push(row());
      this.#list.append((this.#rows.at(-1) as Row).element);
    }
    for (const [at, { element }] of this.#rows.entries()) {
      element.hidden = at >= all.length;
    }
    for (const [at, limit] of all.entries()) {
      show(this.#rows[at] as Row, limit);
    }
  }
}

function row(): Row {
  const what = h("span");
  const bar = h("span");
  const spent = h("span");
  const left = h("span", { class: "kcs-quiet" });
  const track = h("span", { class: "kcs-track", "aria-hidden": "true" }, bar);
  return {
    element: h("li", {}, what, track, h("span", {}, spent, " · ", left)),
    what,
    bar,
    spent,
    left,
  };
}

function show(row: Row, { what, spent, left, share, mark }: Limit): void {
  write(row.what, what);
  set(row.bar, {
    style: `width:${(share * 100).toFixed(2)}%`,
    class: mark === "" ? null : `kcs-${mark}`,
  });
  write(row.spent, spent);
  write(row.left, left);
}
