// What is drawn of a lane where its stretches are narrower than the screen's pixels.

import { lastBefore } from "./at.ts";
import type { View } from "./lanes.ts";
import type { Kind, Span } from "./scene.ts";

/** [kind, first, last]: a piece of a lane, in device pixels from its left; `last` is not in it. */
export type Piece = [kind: Kind, first: number, last: number];

/**
 * What is drawn of stretches that follow each other, on `cells` device pixels. Of what is narrower
 * than a pixel the kind that takes most of it is shown, and a failed attempt always.
 */
export function pieces(spans: readonly Span[], view: View, cells: number): Piece[] {
  const scale = cells / (view.to - view.from);
  const found: Piece[] = [];
  const failed: Piece[] = [];
  const slivers = new Slivers(found);
  for (let i = Math.max(lastBefore(spans, view.from), 0); i < spans.length; i++) {
    const [, began, ended, kind] = spans[i] as Span;
    if (began > view.to) {
      break;
    }
    if (ended <= view.from && began < view.from) {
      continue;
    }
    const first = Math.max((began - view.from) * scale, 0);
    const last = Math.min((ended - view.from) * scale, cells);
    const [a, b] = [Math.round(first), Math.round(last)];
    if (kind === "failed") {
      const cell = Math.min(a, cells - 1);
      failed.push([kind, cell, Math.max(b, cell + 1)]);
    } else if (b > a && last - first >= 0.5) {
      slivers.end(a);
      found.push([kind, a, b]);
    } else {
      slivers.add(kind, Math.min(Math.floor(first), cells - 1), last - first);
    }
  }
  slivers.end(cells);
  return [...found, ...failed];
}

/** Stretches narrower than a pixel, gathered by the pixel. */
class Slivers {
  #cell = -1;
  #kinds = new Map<Kind, number>();
  #mine: Piece | undefined;

  readonly found: Piece[];

  constructor(found: Piece[]) {
    this.found = found;
  }

  add(kind: Kind, cell: number, width: number): void {
    if (cell !== this.#cell) {
      this.end(cell);
      this.#cell = cell;
    }
    this.#kinds.set(kind, (this.#kinds.get(kind) ?? 0) + width);
  }

  /** Show what is gathered, unless something else lies there from `limit` on. */
  end(limit: number): void {
    const cell = this.#cell;
    const last = this.found.at(-1);
    if (this.#kinds.size > 0 && cell < limit && cell >= (last?.[2] ?? 0)) {
      const [kind] = [...this.#kinds].reduce((most, other) => (other[1] > most[1] ? other : most));
      if (last !== undefined && last === this.#mine && last[0] === kind && last[2] === cell) {
        last[2] = cell + 1;
      } else {
        this.#mine = [kind, cell, cell + 1];
        this.found.push(this.#mine);
      }
    }
    this.#kinds.clear();
    this.#cell = -1;
  }
}
