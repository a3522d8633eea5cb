// The line above the pictures: status, counts, tokens, cost, and the buttons.

import type { Store } from "../host.ts";
import type { Focus, Host } from "../pure/host.ts";
import { stateWord } from "../pure/words.ts";
import { h, write } from "./dom.ts";

export interface Part {
  readonly element: HTMLElement;
  update(store: Store, focus: Focus): void;
  dispose(): void;
}

export function header(_host: Host): Part {
  const element = h("header");
  return {
    element,
    update(store) {
      const run = store.scene.run;
      write(element, run ? `${stateWord(run.status)} ${run.name}` : "");
    },
    dispose() {},
  };
}
