// The widget of the playground: sliders for λ beside the rewards of a training.

import { PlayFrame } from "./draw/playframe.ts";
import type { Model } from "./host.ts";
import { PlayStore } from "./playhost.ts";

interface Given {
  model: Model;
  el: HTMLElement;
  signal?: AbortSignal;
}

function render({ model, el, signal }: Given): () => void {
  const later: { frame?: PlayFrame } = {};
  const store = new PlayStore(model, () => later.frame?.later());
  const frame = new PlayFrame(store);
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
