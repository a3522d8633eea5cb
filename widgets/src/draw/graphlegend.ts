// What the shapes and lines of the graph mean, and how many agents are in each state.

import { shape, word } from "../pure/words.ts";
import { h } from "./dom.ts";

export interface Legend {
  readonly element: HTMLElement;
  update(
    counts: readonly (readonly [state: string, number: number])[],
    steps: boolean,
    critical: boolean,
  ): void;
}

export function legend(): Legend {
  const path = h("span", {}, h("i", { class: "kng-path-mark" }), "critical path");
  const ring = h("span", {}, h("i", { class: "kng-ring-mark" }), "step of the main agent");
  const element = h("div", { class: "kng-legend", "aria-hidden": "true" });
  const items = new Map<string, [item: HTMLElement, text: Text]>();
  return {
    element,
    update(counts, steps, critical) {
      ring.hidden = !steps;
      path.hidden = !critical;
      const left = new Map(counts);
      for (const [state, [item]] of items) {
        item.hidden = !left.has(state);
      }
      for (const [state, number] of counts) {
        const known = items.get(state);
        const text = ` ${number} ${word(state)}`;
        if (known === undefined) {
          const said = document.createTextNode(text);
          const mark = h("b", {}, shape(state));
          const item = h("span", { "data-state": state }, mark, said);
          items.set(state, [item, said]);
        } else if (known[1].data !== text) {
          known[1].data = text;
        }
      }
      order(element, [...counts.map(([state]) => items.get(state)?.[0]), ring, path]);
    },
  };
}

function order(parent: HTMLElement, wanted: readonly (HTMLElement | undefined)[]): void {
  let before: Element | null = null;
  for (const item of wanted) {
    if (item !== undefined) {
      if (item.previousElementSibling !== before || item.parentNode !== parent) {
        parent.insertBefore(item, before === null ? parent.firstChild : before.nextSibling);
      }
      before = item;
    }
  }
}
