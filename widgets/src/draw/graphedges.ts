// The edges of the graph, and the frames around the sub-agents of a stage.

import type { Box, Layout } from "../pure/cells.ts";
import { hasEnded, type Shown } from "../pure/graphwords.ts";
import type { Edge } from "../pure/route.ts";
import { count } from "../pure/words.ts";
import { s, set, write } from "./dom.ts";
import type { Measure } from "./ruler.ts";

/** Edges from which on each of them is drawn faint. */
const MANY = 120;

export class Edges {
  readonly element = s("g", { "aria-hidden": "true" });
  readonly #paths = new Map<string, SVGPathElement>();
  #edges: readonly Edge[] = [];

  draw(edges: readonly Edge[]): void {
    this.#edges = edges;
    const wanted = new Set(edges.map(({ id }) => id));
    for (const [id, path] of this.#paths) {
      if (!wanted.has(id)) {
        path.remove();
        this.#paths.delete(id);
      }
    }
    set(this.element, { "data-many": edges.length > MANY });
    let before: Element | null = null;
    for (const { id, kind, d, critical } of edges) {
      const path = this.#paths.get(id) ?? s("path");
      this.#paths.set(id, path);
      if (path.previousElementSibling !== before || path.parentNode === null) {
        this.element.insertBefore(
          path,
          before === null ? this.element.firstChild : before.nextSibling,
        );
      }
      set(path, { d, class: `kng-${kind}${critical ? " kng-critical" : ""}` });
      before = path;
    }
  }

  /** Which edges lead to what has not begun, and which wait for somebody. */
  mark(begun: (id: string) => boolean, seen: readonly Shown[]): void {
    for (const { id, from, to, back } of this.#edges) {
      const ghost = (from !== "" && !begun(from)) || (to !== "" && !begun(to));
      const open = back.some((number) => !hasEnded(seen[number]?.state ?? ""));
      set(this.#paths.get(id) as Element, { "data-open": open, "data-ghost": ghost });
    }
  }
}

export class Boxes {
  readonly element = s("g", { "aria-hidden": "true" });
  /** For a place above the edges. */
  readonly titles = s("g", { "aria-hidden": "true" });
  readonly #parts = new Map<string, readonly [SVGRectElement, SVGTextElement]>();
  readonly #measure: Measure;

  constructor(measure: Measure) {
    this.#measure = measure;
  }

  place(made: Layout): void {
    const wanted = new Set(made.boxes.map(({ id }) => id));
    for (const [id, parts] of this.#parts) {
      if (!wanted.has(id)) {
        for (const part of parts) {
          part.remove();
        }
        this.#parts.delete(id);
      }
    }
    for (const box of made.boxes) {
      const [frame, title] = this.#parts.get(box.id) ?? this.#make(box.id);
      set(frame, { x: box.x, y: box.y, width: box.w, height: box.h });
      set(title, placeOf(box, made));
    }
  }

  say(made: Layout, seen: readonly Shown[]): void {
    for (const box of made.boxes) {
      const { members, agent } = made.blocks[box.block] as Layout["blocks"][number];
      const ended = members.filter((number) => hasEnded(seen[number]?.state ?? "")).length;
      const all = count(members.length, agent < 0 ? "agent" : "sub-agent");
      const going = ended < members.length;
      if (members.length === 1) {
        continue;
      }
      const long = going ? `${ended} of ${all} ended` : all;
      const short = going ? `${ended}/${members.length}` : `×${members.length}`;
      const room = made.upright ? made.width / 2 - 40 : box.w + made.level.fan * 0.5;
      write(
        (this.#parts.get(box.id) as readonly [unknown, SVGTextElement])[1],
        this.#measure(long, false) <= room ? long : short,
      );
    }
  }

  #make(id: string): readonly [SVGRectElement, SVGTextElement] {
    const parts = [
      s("rect", { class: "kng-box", rx: 8 }),
      s("text", { class: "kng-box-title" }),
    ] as const;
    this.#parts.set(id, parts);
    this.element.append(parts[0]);
    this.titles.append(parts[1]);
    return parts;
  }
}

/** Above the frame; upright, where edges come in from above, beside the step that launched. */
function placeOf(box: Box, made: Layout): { x: number; y: number } {
  const step = made.cells.findLast(({ block, kind }) => block === box.block - 1 && kind === "step");
  return made.upright && step !== undefined
    ? { x: step.x + step.w + 8, y: step.y + step.h / 2 + 4 }
    : { x: box.x + 2, y: box.y - 5 };
}
