import type { Picture } from "../pure/host.ts";
import { h } from "./dom.ts";

export function placeholder(name: string): Picture {
  return { element: h("p", {}, `${name} is being built`), update() {}, dispose() {} };
}
