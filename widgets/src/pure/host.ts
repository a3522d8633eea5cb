// What the pictures need of the notebook around them. `host.ts` beside `swarm.ts` fulfils it.

import type { Scene } from "./scene.ts";

/** What the page asks of the kernel. */
export type Question =
  | { kind: "sync" }
  | { kind: "cancel"; agent?: string }
  | { kind: "background" }
  | { kind: "save"; what: "trace" | "report" }
  | { kind: "agent"; id: string }
  | { kind: "at"; t: number }
  | { kind: "artefact"; name: string; small?: boolean };

/** What a view of a run looks at: common to all pictures of one view, not to other views. */
export interface Focus {
  /** Id of the chosen agent, linked with every view of the run; "" for none. */
  selected: string;
  /** Replay time in seconds; null is the present. */
  at: number | null;
}

/** One picture. It draws what it is given; whoever holds it calls `update` once a frame at most. */
export interface Picture {
  readonly element: HTMLElement;
  update(scene: Scene, focus: Focus): void;
  /** Let go of everything outside of its element. */
  dispose(): void;
}

/** What a picture may do. */
export interface Host {
  ask(question: Question): void;
  /** Choose an agent, or none by "". */
  select(id: string): void;
  /** Go to a time of the run; null is the present. */
  seek(t: number | null): void;
}
