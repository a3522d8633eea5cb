import type { Host, Picture } from "../pure/host.ts";
import { placeholder } from "./placeholder.ts";

export function critical(_host: Host): Picture {
  return placeholder("critical");
}
