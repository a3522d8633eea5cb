// The widget of a run or a training: one class, four views.

import { Frame } from "./draw/frame.ts";
import { type Model, Store } from "./host.ts";

interface Given {
  model: Model;
  el: HTMLElement;
  signal?: AbortSignal;
}

function render({ model, el, signal }: Given): () => void {
  const later: { frame?: Frame } = {};
  const store = new Store(model, () => later.frame?.later());
  const frame = new Frame(store);
  later.frame = frame;
  el.append(frame.element);
  frame.draw();
  let gone = false;
  const dispose = (): void => {
    if (!gone) {
      gone = true;
      signal?.removeEventListener("abort", dispose);
      frame.dispose();
      store.dispose();
    }
  };
  signal?.addEventListener("abort", dispose); // older hosts give no signal, and call what is returned
  return dispose;
}

export default { render };
