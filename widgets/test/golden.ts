// What the kernel tells a page of known runs, and what is so of them at some times: see
// tests/test_widgets_golden.py.

import { readdirSync, readFileSync } from "node:fs";
import type { Changes } from "../src/pure/scene.ts";

export interface Golden {
  batches: Changes[];
  whole: Changes;
  /** State of every agent that had begun, by id, by time. */
  states: Record<string, Record<string, string>>;
}

const FOLDER = new URL("./golden/", import.meta.url);

export const RUNS = readdirSync(FOLDER).map((name) => name.replace(".json", ""));

/** Every time anew: who merges messages may keep parts of them. */
export function golden(name: string): Golden {
  return JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), "utf8")) as Golden;
}
