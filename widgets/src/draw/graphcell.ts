// One cell of the graph: an agent, or a step of the main agent.

import type { Cell, Level } from "../pure/cells.ts";
import type { Face } from "../pure/faces.ts";
import { cut } from "../pure/graphwords.ts";
import { s, set, write } from "./dom.ts";
import type { Measure } from "./ruler.ts";

const LINES: Record<Level["name"], readonly (readonly [x: number, y: number])[]> = {
  card: [
    [8, 19],
    [8, 37],
    [8, 54],
  ],
  slip: [
    [8, 17],
    [8, 33],
  ],
  chip: [[7, 16]],
  tag: [[5, 15]],
  dot: [],
  bead: [],
  speck: [],
};

/** Draws again only what differs from before. */
export class CellView {
  readonly element: SVGGElement;
  readonly #title = s("title");
  readonly #frame = s("rect", { class: "kng-frame" });
  readonly #texts: SVGTextElement[] = [];
  #face: Face | null = null;
  #size = "";

  constructor(id: string) {
    this.element = s(
      "g",
      { role: "option", tabindex: -1, "data-id": id },
      this.#title,
      this.#frame,
    );
  }

  place(cell: Cell, level: Level["name"]): void {
    const size = `${cell.kind} ${level} ${cell.x} ${cell.y} ${cell.w} ${cell.h}`;
    if (size === this.#size) {
      return;
    }
    this.#size = size;
    this.#face = null;
    const round = { step: 14, bare: 8, join: 14, run: 10, head: 4, agent: ROUND[level] }[cell.kind];
    set(this.element, {
      transform: `translate(${cell.x} ${cell.y})`,
      class: `kng-cell kng-${cell.kind}${cell.kind === "agent" ? ` kng-${level}` : ""}`,
    });
    set(this.#frame, { width: cell.w, height: cell.h, rx: round });
    const places = placesOf(cell, level);
    while (this.#texts.length > places.length) {
      this.#texts.pop()?.remove();
    }
    while (this.#texts.length < places.length) {
      const text = s("text");
      this.#texts.push(text);
      this.element.append(text);
    }
    this.#texts.forEach((text, i) => {
      const [x, y, anchor] = places[i] as Place;
      set(text, { x, y, "text-anchor": anchor, class: `kng-line${i + 1}` });
    });
  }

  say(face: Face, cell: Cell, level: Level["name"], measure: Measure): void {
    if (face === this.#face) {
      return;
    }
    this.#face = face;
    const rooms = roomsOf(face.lines, cell, level, measure);
    this.#texts.forEach((text, i) => {
      write(
        text,
        cut(face.lines[i] ?? "", rooms[i] ?? cell.w, (said) => measure(said, i === 0)),
      );
    });
    if (cell.kind === "head" && this.#texts[1] !== undefined) {
      set(this.#texts[1], { x: cell.w - (rooms[1] ?? 0) - 8 });
    }
    write(this.#title, face.title);
    set(this.element, {
      "data-state": face.state || "none",
      "data-critical": face.critical,
      "aria-selected": String(face.chosen),
      "aria-label": face.title,
    });
  }
}

const ROUND: Record<Level["name"], number> = {
  card: 6,
  slip: 5,
  chip: 5,
  tag: 5,
  dot: 4,
  bead: 3,
  speck: 2,
};

type Place = readonly [x: number, y: number, anchor: string | null];

function placesOf(cell: Cell, level: Level["name"]): Place[] {
  if (cell.kind === "head") {
    return [
      [8, 16, null],
      [8, 16, null],
    ];
  }
  if (cell.kind !== "agent" || LINES[level].length === 0) {
    return [[cell.w / 2, cell.h / 2 + (cell.h < 16 ? 3.5 : 4), "middle"]];
  }
  const places: Place[] = LINES[level].map(([x, y]) => [x, y, null]);
  return level === "slip" ? [...places, [cell.w - 8, 33, "end"]] : places;
}

/** Pixels for each line; what shares one is cut where the other begins. */
function roomsOf(lines: string[], cell: Cell, level: Level["name"], measure: Measure): number[] {
  if (cell.kind !== "head" && (cell.kind !== "agent" || LINES[level].length === 0)) {
    return [Infinity]; // a mark or a number
  }
  const pad = cell.kind === "agent" ? (level === "card" || level === "slip" ? 16 : 10) : 0;
  const full = cell.w - pad;
  if (cell.kind === "agent" && level === "slip") {
    const steps = measure(lines[2] ?? "", false);
    const beside = full - measure(lines[1] ?? "", false) - 6;
    return [full, full - (steps <= beside ? steps + 6 : 0), steps <= beside ? steps : 0];
  }
  if (cell.kind === "head") {
    const name = Math.min(measure(lines[0] ?? "", true), full * 0.6);
    return [name, full - name - 8 - 16];
  }
  return lines.map(() => full);
}
