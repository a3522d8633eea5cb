// The slider that goes back in time, for all pictures.

import type { Host } from "../pure/host.ts";
import { h } from "./dom.ts";
import type { Part } from "./header.ts";

export function replay(_host: Host): Part {
  const element = h("footer");
  return { element, update() {}, dispose() {} };
}
