import type { Host, Picture } from "../pure/host.ts";
import { placeholder } from "./placeholder.ts";

export function reward(_host: Host): Picture {
  return placeholder("reward");
}
