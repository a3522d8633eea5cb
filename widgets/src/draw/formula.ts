// The reward of one iteration with its numbers put in, as text under the formula.

import { doubt, paid, parts, reweighed, type State, type Sum } from "../pure/playground.ts";
import { h, write } from "./dom.ts";

export interface Formula {
  readonly element: HTMLElement;
  /** `at` is the index of the iteration; null is the latest. */
  update(state: State, at: number | null): void;
}

interface Line {
  element: HTMLElement;
  put(sum: Sum | null, name: string): void;
}

export function formula(): Formula {
  const names = line("kpg-names");
  names.put(
    {
      total: "",
      parallel: "λ_parallel·r_parallel",
      finish: "λ_finish·r_finish",
      perf: "r_perf",
      exact: true,
    },
    "reward",
  );
  const was = line("kpg-was");
  const now = line("kpg-set");
  const lines = h("div", { class: "kpg-lines" }, names.element, was.element, now.element);
  const warning = h("p", { class: "kpg-warning", role: "note" });
  const element = h(
    "section",
    { class: "kpg-formula", "aria-label": "The reward in numbers" },
    lines,
    warning,
  );
  return {
    element,
    update(state, at) {
      const rows = state.training?.rows.length ?? 0;
      element.hidden = state.training === null || rows === 0;
      if (state.training !== null && rows > 0) {
        const index = Math.min(at ?? rows - 1, rows - 1);
        const which = `iteration ${(index + 1).toLocaleString("en-US")}`;
        was.put(paid(state.training, index), which);
        now.put(reweighed(state, index), "re-weighed");
      }
      write(warning, doubt(state));
      warning.hidden = warning.textContent === "";
    },
  };
}

/** Each part in a column of its own, and all of them one sentence to who reads the text. */
function line(kind: string): Line {
  const cells = ["kpg-what", "kpg-total", "", "", "", "", "", ""].map((name) =>
    h("span", { class: name || null }),
  );
  const element = h("p", { class: kind }, ...cells.flatMap((cell) => [cell, " "]));
  return {
    element,
    put(sum, name) {
      element.hidden = sum === null;
      if (sum !== null) {
        const texts = [`${name}:`, ...parts(sum)];
        for (const [place, cell] of cells.entries()) {
          write(cell, texts[place] ?? "");
        }
      }
    },
  };
}
