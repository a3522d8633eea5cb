// The cells of the graph: which there are, which is chosen, and which the tab key comes to.

import type { Cell, Layout } from "../pure/cells.ts";
import type { Face } from "../pure/faces.ts";
import { s, set } from "./dom.ts";
import { CellView } from "./graphcell.ts";
import type { Measure } from "./ruler.ts";

export class Cells {
  readonly element = s("g");
  readonly #views = new Map<string, CellView>();
  readonly #measure: Measure;
  #stop = "";

  constructor(measure: Measure) {
    this.#measure = measure;
  }

  /** Id of the cell that the tab key comes to. */
  get stop(): string {
    return this.#stop;
  }

  /** Put each cell where it belongs; what has been there stays the same element. */
  place(made: Layout): void {
    const held = this.#held();
    const wanted = new Set(made.cells.map(({ id }) => id));
    for (const [id, view] of this.#views) {
      if (!wanted.has(id)) {
        view.element.remove();
        this.#views.delete(id);
      }
    }
    let before: Element | null = null;
    for (const cell of made.cells) {
      const view = this.#views.get(cell.id) ?? this.#make(cell);
      if (view.element.previousElementSibling !== before || !view.element.isConnected) {
        this.element.insertBefore(
          view.element,
          before === null ? this.element.firstChild : before.nextSibling,
        );
      }
      view.place(cell, made.level.name);
      before = view.element;
    }
    if (!wanted.has(this.#stop)) {
      this.comeTo(made.cells[0]?.id ?? "", held);
    }
  }

  say(made: Layout, faces: readonly Face[]): void {
    made.cells.forEach((cell, i) => {
      this.#views.get(cell.id)?.say(faces[i] as Face, cell, made.level.name, this.#measure);
    });
    const chosen = faces.findIndex((face) => face.chosen);
    if (
      chosen >= 0 &&
      !this.#held() &&
      !faces[made.cells.findIndex(({ id }) => id === this.#stop)]?.chosen
    ) {
      this.comeTo(made.cells[chosen]?.id ?? "");
    }
  }

  comeTo(id: string, focused = false): void {
    if (id !== this.#stop) {
      this.#views.get(this.#stop)?.element.setAttribute("tabindex", "-1");
      this.#stop = id;
    }
    const element = this.#views.get(id)?.element;
    if (element !== undefined) {
      set(element, { tabindex: 0 });
      if (focused) {
        element.focus({ preventScroll: true });
      }
    }
  }

  #held(): boolean {
    return this.element.matches(":focus-within"); // also within a shadow tree
  }

  #make(cell: Cell): CellView {
    const made = new CellView(cell.id);
    this.#views.set(cell.id, made);
    return made;
  }
}
