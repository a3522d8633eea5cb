// The live task graph: who works for whom, side by side, and what decides how long it takes.

import type { Layout } from "../pure/cells.ts";
import { type Face, faces, people } from "../pure/faces.ts";
import { flow, isMain } from "../pure/flow.ts";
import { type Shown, sentence, tally } from "../pure/graphwords.ts";
import type { Focus, Host, Picture } from "../pure/host.ts";
import { layout } from "../pure/layout.ts";
import { roam } from "../pure/roam.ts";
import { pathCells, route } from "../pure/route.ts";
import type { Scene, Span } from "../pure/scene.ts";
import { h, s, set } from "./dom.ts";
import { Cells } from "./graphcells.ts";
import { Boxes, Edges } from "./graphedges.ts";
import { legend } from "./graphlegend.ts";
import { ruler } from "./ruler.ts";

/** Bare steps of the main agent in a row that are told apart, and how many if room is scarce. */
const BARE = [24, 3] as const;

export function graph(host: Host): Picture {
  return new Graph(host);
}

class Graph implements Picture {
  readonly element: HTMLElement;
  readonly #host: Host;
  readonly #nothing = h("p", { class: "kng-nothing" }, "No agent has begun yet.");
  readonly #svg = s("svg", { role: "listbox", "data-lm-suppress-shortcuts": "true" });
  readonly #legend = legend();
  readonly #edges = new Edges();
  readonly #boxes: Boxes;
  readonly #cells: Cells;
  readonly #resized: ResizeObserver;
  #seen: readonly Shown[] = [];
  #faces: readonly Face[] = [];
  #selected = "";
  #width = 0;
  #structure = "";
  #made: Layout | null = null;
  #path = new Set<string>();
  #pathOf: readonly Span[] | null = null;

  constructor(host: Host) {
    this.#host = host;
    const measure = ruler(this.#svg);
    this.#boxes = new Boxes(measure);
    this.#cells = new Cells(measure);
    this.#svg.append(
      ...[this.#boxes.element, this.#edges.element, this.#boxes.titles, this.#cells.element],
    );
    this.element = h("div", { class: "knw-graph" }, this.#nothing, this.#legend.element);
    this.element.prepend(this.#svg);
    // A screen reader goes to a cell without the keys. An SVG element that listened to this itself
    // would be one more stop of the tab key.
    this.element.addEventListener("focusin", ({ target }) => {
      this.#cells.comeTo(cellOf(target) || this.#cells.stop);
    });
    this.#svg.addEventListener("click", (event) => this.#click(event));
    this.#svg.addEventListener("keydown", (event) => this.#press(event));
    this.#resized = new ResizeObserver(([entry]) => {
      this.#width = Math.floor(entry?.contentRect.width ?? 0);
    });
    this.#resized.observe(this.element);
  }

  update(scene: Scene, focus: Focus): void {
    this.#width ||= this.element.clientWidth;
    const some = scene.agents.length > 0;
    this.#nothing.hidden = some;
    this.#svg.classList.toggle("kng-none", !some);
    this.#selected = focus.selected;
    if (!some || this.#width === 0) {
      return;
    }
    const made = this.#arrange(scene);
    const seen = people(scene, focus, this.#seen);
    const said = faces(scene, focus, made, this.#path, seen, this.#faces);
    this.#seen = seen;
    this.#faces = said;
    this.#cells.say(made, said);
    this.#boxes.say(made, seen);
    const begun = new Map(made.cells.map(({ id }, i) => [id, said[i]?.state !== ""]));
    this.#edges.mark((id) => begun.get(id) ?? false, seen);
    const states = seen.map((one) => one?.state ?? "");
    const steps = made.cells.some(({ kind }) => kind === "head");
    this.#legend.update(tally(states), steps, this.#path.size > 0);
    set(this.#svg, {
      "aria-label": `Graph. ${sentence(scene, made.blocks, states)}`,
      "data-live": scene.live && focus.at === null,
    });
  }

  dispose(): void {
    this.#resized.disconnect();
  }

  /** The layout: made again if agents, steps or the width have changed. */
  #arrange(scene: Scene): Layout {
    const open = scene.agents.filter(isMain).map((agent) => agent.ended === null);
    const structure = [this.#width, scene.agents.length, scene.stages.length, ...open].join(" ");
    const kept = structure === this.#structure ? this.#made : null;
    const made = kept ?? layout(flow(scene, BARE[0]), flow(scene, BARE[1]), this.#width);
    if (kept === null) {
      this.#structure = structure;
      this.#made = made;
      this.#faces = [];
      set(this.#svg, { width: made.width, height: made.height, "data-level": made.level.name });
      this.#boxes.place(made);
      this.#cells.place(made);
    }
    if (kept === null || scene.path !== this.#pathOf) {
      const path = pathCells(scene, made);
      this.#pathOf = scene.path;
      this.#path = new Set(path);
      this.#edges.draw(route(made, scene.agents, path));
    }
    return made;
  }

  #click(event: MouseEvent): void {
    const id = cellOf(event.target);
    if (id !== "") {
      this.#cells.comeTo(id, true);
    }
    this.#choose(id);
  }

  #press(event: KeyboardEvent): void {
    const cells = this.#made?.cells ?? [];
    const stop = this.#cells.stop;
    if (event.key === "Enter" || event.key === " ") {
      this.#choose(stop);
    } else if (event.key === "Escape" && this.#selected !== "") {
      this.#choose("");
    } else {
      const from = cells.findIndex(({ id }) => id === stop);
      const next =
        event.ctrlKey || event.metaKey || event.altKey ? null : roam(cells, from, event.key);
      if (next === null) {
        return;
      }
      this.#cells.comeTo(cells[next]?.id ?? "", true);
    }
    event.preventDefault();
  }

  /** Choose the agent of a cell, or none. */
  #choose(cell: string): void {
    const agent = this.#made?.cells.find(({ id }) => id === cell)?.agent;
    this.#host.select(agent === undefined ? "" : (this.#seen[agent]?.agent.id ?? ""));
  }
}

/** Id of the cell that an element is in; "" for none. */
function cellOf(target: EventTarget | null): string {
  const cell = target instanceof Element ? target.closest("g[data-id]") : null;
  return cell?.getAttribute("data-id") ?? "";
}
