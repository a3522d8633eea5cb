// The chosen agent: its task, messages, tool calls and images.

import type { Host } from "../pure/host.ts";
import { h, write } from "./dom.ts";
import type { Part } from "./header.ts";

export function inspector(_host: Host): Part {
  const element = h("aside");
  return {
    element,
    update(store, focus) {
      write(element, `${focus.selected} ${store.detail?.task ?? ""}`);
    },
    dispose() {},
  };
}
