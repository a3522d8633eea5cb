import type { Host, Picture } from "../pure/host.ts";
import { placeholder } from "./placeholder.ts";

export function graph(_host: Host): Picture {
  return placeholder("graph");
}
