// The graph at a time: what each of its cells says, and how it stands out.

import type { Cell, Layout } from "./cells.ts";
import { about, cellLines, headLine, type Shown, shown } from "./graphwords.ts";
import type { Focus } from "./host.ts";
import type { Scene } from "./scene.ts";
import { count, shape } from "./words.ts";

export interface Face {
  /** Whose it is. */
  readonly one: Shown;
  lines: string[];
  /** Of its agent; of a step that is past "done"; "" for what has not begun. */
  state: string;
  /** For the tooltip, and for who does not see it. */
  title: string;
  critical: boolean;
  chosen: boolean;
}

/** The agents by number, as they are shown now or at a time; of `before` those that are the same. */
export function people(scene: Scene, focus: Focus, before: readonly Shown[]): Shown[] {
  const seen: Shown[] = [];
  for (const agent of scene.agents) {
    if (agent !== undefined) {
      const old = before[agent.number];
      const same = focus.at === null && old?.agent === agent && old.at === null;
      seen[agent.number] = same ? old : shown(scene, agent, focus.at);
    }
  }
  return seen;
}

/**
 * A face for each cell of a layout; `path` are the ids of those on the critical path. `before` are
 * the faces that this layout had: what has not changed is the same object, and cost nothing.
 */
export function faces(
  scene: Scene,
  focus: Focus,
  made: Layout,
  path: ReadonlySet<string>,
  seen: readonly Shown[],
  before: readonly Face[],
): Face[] {
  const begun = stepsBegun(scene, focus.at ?? Infinity);
  const latest = new Map<number, string>();
  for (const cell of made.cells) {
    if (begun.has(stepOf(scene, cell))) {
      latest.set(cell.agent, cell.id);
    }
  }
  return made.cells.map((cell, i) => {
    const one = seen[cell.agent] as Shown;
    const [critical, chosen] = [path.has(cell.id), one.agent.id === focus.selected];
    const isStep = cell.kind !== "agent" && cell.kind !== "head";
    const old = before[i];
    if (!isStep && old?.one === one && old.critical === critical && old.chosen === chosen) {
      return old;
    }
    const said = isStep
      ? step(cell, one, begun.has(stepOf(scene, cell)), latest.get(cell.agent) === cell.id)
      : ofAgent(cell, one, made, critical);
    const title = isStep && critical ? `${said.title}\non the critical path` : said.title;
    return { ...said, one, title, critical, chosen };
  });
}

type Said = Pick<Face, "lines" | "state" | "title">;

function ofAgent(cell: Cell, one: Shown, made: Layout, critical: boolean): Said {
  const lines =
    cell.kind === "head" ? [one.agent.label, headLine(one)] : cellLines(one, made.level.name);
  return { lines, state: one.state, title: about(one, critical) };
}

function step(cell: Cell, { agent, state, doing }: Shown, begun: boolean, latest: boolean): Said {
  const { kind, from, to } = cell;
  if (kind === "run") {
    const title = `${agent.label}, steps ${from} to ${to}`;
    return { lines: [count(to - from + 1, "step")], state: begun ? "done" : "", title };
  }
  const title = `${agent.label}, step ${from}`;
  if (!begun) {
    const why = kind === "join" ? "waits for the sub-agents" : "has not begun at that time";
    return { lines: [""], state: "", title: `${title}: ${why}` };
  }
  if (latest) {
    const mark = kind !== "bare" && state === "waiting" ? String(from) : shape(state);
    return { lines: [mark], state, title: [title, doing].filter(Boolean).join(": ") };
  }
  return { lines: [kind === "bare" ? "" : String(from)], state: "done", title };
}

/** Steps of main agents that had begun at `t`, as "a00/3". */
function stepsBegun(scene: Scene, t: number): Set<string> {
  const begun = scene.stages.filter((stage) => stage.began <= t);
  return new Set(begun.map(({ parent, number }) => `${parent}/${number}`));
}

function stepOf(scene: Scene, { agent, from, kind }: Cell): string {
  return kind === "agent" || kind === "head" ? "" : `${scene.agents[agent]?.id}/${from}`;
}
