// What every widget does when a notebook shows it, and when it no longer does.

import type { Model } from "./wire.ts";

export interface Given {
  model: Model;
  el: HTMLElement;
  signal?: AbortSignal;
}

interface Shown {
  readonly element: HTMLElement;
  draw(): void;
  later(): void;
  dispose(): void;
}

/** Show what `make` makes in the notebook's place for it; returns how to take it away again. */
export function mount<Kept extends { dispose(): void }>(
  { model, el, signal }: Given,
  keep: (model: Model, changed: () => void) => Kept,
  make: (kept: Kept) => Shown,
): () => void {
  const later: { shown?: Shown } = {};
  const kept = keep(model, () => later.shown?.later());
  const shown = make(kept);
  later.shown = shown;
  el.append(shown.element);
  shown.draw();
  let gone = false;
  const dispose = (): void => {
    if (!gone) {
      gone = true;
      signal?.removeEventListener("abort", dispose);
      shown.dispose();
      kept.dispose();
    }
  };
  signal?.addEventListener("abort", dispose); // older hosts give none, and call what is returned
  return dispose;
}
