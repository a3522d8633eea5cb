// The edges of the graph: what leads from a step to its sub-agents, from them back, and on.

import {
  across,
  funnel,
  into,
  inwards,
  outOf,
  outwards,
  type Point,
  straight,
  turn,
} from "./bends.ts";
import type { Box, Cell, Layout, Rect } from "./cells.ts";
import { isMain } from "./flow.ts";
import type { Agent, Scene, Span } from "./scene.ts";

export interface Edge {
  id: string;
  /** "funnel" is an area: what leads to or from many sub-agents at once. */
  kind: "line" | "funnel";
  d: string;
  critical: boolean;
  /** Ids of the cells at its ends; "" for what is no single cell. */
  from: string;
  to: string;
  /** Numbers of the agents for which it waits. */
  back: readonly number[];
}

/** Ids of the cells on the critical path, in its order. */
export function pathCells(scene: Scene, made: Layout): string[] {
  const steps = new Map<number, Cell[]>();
  for (const cell of made.cells) {
    if (cell.kind !== "agent" && cell.kind !== "head") {
      const own = steps.get(cell.agent) ?? [];
      own.push(cell);
      steps.set(cell.agent, own);
    }
  }
  const found: string[] = [];
  for (const span of scene.path) {
    const id = cellOf(span, scene.agents[span[0]], steps);
    if (id !== "" && found.at(-1) !== id) {
      found.push(id);
    }
  }
  return found;
}

function cellOf(span: Span, agent: Agent | undefined, steps: Map<number, Cell[]>): string {
  const [number, , , kind, step] = span;
  if (agent === undefined || !isMain(agent)) {
    return agent === undefined ? "" : `#${number}`;
  }
  // The time between a sub-agent's end and the next step belongs to no step.
  const own = kind === "other" ? [] : (steps.get(number) ?? []);
  return own.find(({ from, to }) => from <= step && step <= to)?.id ?? "";
}

/** All edges, those of the critical path last: they are drawn over the others. */
export function route(made: Layout, agents: readonly Agent[], path: readonly string[]): Edge[] {
  const critical = new Set(path.slice(1).map((id, i) => keyOf(path[i] ?? "", id)));
  const plan = !made.cells.some(({ kind }) => kind === "head");
  const edges = plan ? afterwards(made, agents) : spine(made, critical);
  const marked = edges.map((edge) => (critical.has(edge.id) ? { ...edge, critical: true } : edge));
  return [...marked.filter((edge) => !edge.critical), ...marked.filter((edge) => edge.critical)];
}

function keyOf(from: string, to: string): string {
  return `${from}>${to}`;
}

function line(from: Cell, to: Cell, d: string, back: readonly number[] = []): Edge {
  const id = keyOf(from.id, to.id);
  return { id, kind: "line", d, critical: false, from: from.id, to: to.id, back };
}

/** Edges of a plan: from each agent to those that come after it. */
function afterwards(made: Layout, agents: readonly Agent[]): Edge[] {
  const cells = new Map(made.cells.map((cell) => [agents[cell.agent]?.id ?? "", cell]));
  const boxes = new Map(made.boxes.map((box) => [box.block, box]));
  return made.cells.flatMap((cell) => {
    const before = (agents[cell.agent]?.after ?? []).map((id) => cells.get(id));
    return before
      .filter((other) => other !== undefined)
      .map((other) => {
        const frames = [boxes.get(other.block) ?? other, boxes.get(cell.block) ?? cell] as const;
        return line(other, cell, after(made, other, cell, frames));
      });
  });
}

function after(made: Layout, from: Cell, to: Cell, boxes: readonly [Rect, Rect]): string {
  const back = !made.upright && boxes[1].x < boxes[0].x + boxes[0].w;
  return back
    ? turn(outOf(from, false), into(to, false), made.below[from.block] ?? to.y)
    : across(from, to, boxes, made.upright);
}

function spine(made: Layout, critical: ReadonlySet<string>): Edge[] {
  const cells = made.blocks.map((): Cell[] => []);
  for (const cell of made.cells) {
    cells[cell.block]?.push(cell);
  }
  return made.blocks.flatMap((block, i) => {
    const [before, here, after] = [cells[i - 1]?.[0], cells[i]?.[0], cells[i + 1]?.[0]];
    if (block.kind === "group") {
      const box = made.boxes.find((one) => one.block === i);
      const members = cells[i] ?? [];
      return box === undefined
        ? []
        : [
            ...fanOut(made, box, members, before, critical),
            ...join(made, box, members, before, after, critical),
          ];
    }
    const next = made.blocks[i + 1]?.kind === "group" ? undefined : after;
    return here === undefined || next === undefined
      ? []
      : [line(here, next, link(made, here, next))];
  });
}

/** From one step to the next. */
function link(made: Layout, from: Cell, to: Cell): string {
  const [start, end] = [outOf(from, false), into(to, false)];
  const beside = end[0] >= start[0] && Math.abs(end[1] - start[1]) < 1;
  return beside ? straight(start, end) : turn(start, end, made.below[from.block] ?? to.y);
}

/** From a step to its sub-agents: to each of them, or where they lie side by side, to all. */
function fanOut(
  made: Layout,
  box: Box,
  members: readonly Cell[],
  before: Cell | undefined,
  critical: ReadonlySet<string>,
): Edge[] {
  if (before === undefined || before.kind === "agent") {
    return [];
  }
  const up = made.upright;
  const start = outOf(before, up);
  const each = isThin(made, box)
    ? members
    : members.filter(({ id }) => critical.has(keyOf(before.id, id)));
  const lines = each.map((cell) => line(before, cell, inwards(start, cell, box, up)));
  return isThin(made, box)
    ? lines
    : [area(`${box.id}<`, funnel(start, box, false, up), before.id, []), ...lines];
}

/** From sub-agents back to the step that follows. */
function join(
  made: Layout,
  box: Box,
  members: readonly Cell[],
  before: Cell | undefined,
  after: Cell | undefined,
  critical: ReadonlySet<string>,
): Edge[] {
  if (after === undefined || after.kind === "agent") {
    return [];
  }
  const up = made.upright;
  const end = into(after, up);
  const below = !up && end[0] < box.x + box.w;
  const goal: Point = below ? [box.x + box.w + made.level.fan * 0.55, box.y + box.h / 2] : end;
  const on = below ? turn(goal, end, made.below[box.block] ?? after.y) : "";
  const back = members.map(({ agent }) => agent);
  const edges: Edge[] = [];
  if (!isThin(made, box)) {
    edges.push(area(`${box.id}>`, funnel(goal, box, true, up), "", back));
  }
  if (on !== "") {
    edges.push({ ...area(`${box.id}!`, on, "", back), kind: "line" });
  }
  for (const cell of members) {
    const decided = critical.has(keyOf(cell.id, after.id));
    if (isThin(made, box) || decided) {
      edges.push(
        line(cell, after, outwards(cell, goal, box, up) + (decided ? on : ""), [cell.agent]),
      );
    }
  }
  if (before !== undefined && critical.has(keyOf(before.id, after.id))) {
    edges.push(line(before, after, straight(outOf(before, up), goal) + on)); // it waited for none
  }
  return edges;
}

function area(id: string, d: string, from: string, back: readonly number[]): Edge {
  return { id, kind: "funnel", d, critical: false, from, to: "", back };
}

/** Whether each of its sub-agents can be reached without going behind another. */
function isThin(made: Layout, box: Box): boolean {
  return (made.upright ? box.rows : box.cols) === 1;
}
