import { describe, expect, it } from "vitest";

import type { Cell, Layout } from "../src/pure/cells.ts";
import { type Block, flow } from "../src/pure/flow.ts";
import { cut, sentence } from "../src/pure/graphwords.ts";
import { layout, TALL } from "../src/pure/layout.ts";
import { roam } from "../src/pure/roam.ts";
import { pathCells, route } from "../src/pure/route.ts";
import { type Agent, empty, type Scene } from "../src/pure/scene.ts";

/** A run of an orchestrator: for each step the number of sub-agents that it launched. */
function swarm(...stages: number[]): Scene {
  const scene = empty();
  scene.agents.push(agent(0, { id: "a0", role: "orchestrator" }));
  stages.forEach((size, i) => {
    const numbers = Array.from({ length: size }, (_, k) => scene.agents.length + k);
    for (const number of numbers) {
      scene.agents.push(agent(number, { parent: "a0", stage: i + 1 }));
    }
    addStage(scene, "a0", i + 1, numbers);
  });
  return scene;
}

/** A plan: for each level how many agents it has, each after some of the level before. */
function plan(...levels: number[]): Scene {
  const scene = empty();
  let before: Agent[] = [];
  levels.forEach((size, i) => {
    const own = Array.from({ length: size }, (_, k) => {
      const after = before.filter((_, place) => place % size === k % before.length);
      return agent(scene.agents.length + k, { stage: i + 1, after: after.map(({ id }) => id) });
    });
    scene.agents.push(...own);
    addStage(
      scene,
      "",
      i + 1,
      own.map(({ number }) => number),
    );
    before = own;
  });
  return scene;
}

function agent(number: number, given: Partial<Agent>): Agent {
  const id = `a${number}`;
  const counts = {
    steps: 2,
    tool_calls: 1,
    failed_tool_calls: 0,
    retries: 0,
    tokens_in: 0,
    tokens_out: 0,
  };
  const times = { began: 0, ended: 1, ends: [], open: null, queued_s: 0, busy_s: 1 };
  const said = { label: `${id} reader`, task: "", state: "finished", doing: "done" };
  const place = { role: "sub-agent" as const, parent: "", stage: 0, after: [] };
  return { number, id, ...counts, ...times, ...said, ...place, ...given };
}

function addStage(scene: Scene, parent: string, number: number, sub_agents: number[]): void {
  scene.stages.push({
    parent,
    number,
    began: 0,
    ended: 1,
    main_steps: 1,
    max_sub_steps: 2,
    sub_agents,
  });
}

function made(scene: Scene, width: number): Layout {
  return layout(flow(scene, 24), flow(scene, 3), width);
}

function agents(found: Layout): Cell[] {
  return found.cells.filter(({ kind }) => kind === "agent");
}

const RUNS: Record<string, Scene> = {
  "nothing launched": swarm(0),
  "one sub-agent": swarm(0, 1, 0),
  three: swarm(0, 3, 0),
  twelve: swarm(0, 12, 0),
  twenty: swarm(0, 13, 5, 2, 0),
  hundred: swarm(0, 65, 25, 10, 0),
  "three hundred": swarm(0, 195, 75, 30, 0),
  "six hundred at once": swarm(600),
  "many steps": swarm(...Array(70).fill(0)),
  "many steps, then some": swarm(...Array(20).fill(0), 3, 0),
  "many stages": swarm(...Array(40).fill([2, 0]).flat()),
  "a plan": plan(1, 6, 2, 1),
  "a wide plan": plan(1, 300, 8, 1),
  "a long plan": plan(...Array(40).fill(2)),
};
const WIDTHS = [1176, 764, 456, 200];

describe.each(Object.entries(RUNS))("%s", (name, scene) => {
  it.each(WIDTHS)("lies side by side within %i pixels", (width) => {
    const found = made(scene, width);
    const names = agents(found).map((cell) => cell.agent);
    const launched = scene.stages.flatMap(({ sub_agents }) => sub_agents);
    expect([...names].sort((a, b) => a - b)).toEqual(launched);
    for (const cell of found.cells) {
      expect(cell.x).toBeGreaterThanOrEqual(0);
      expect(cell.x + cell.w).toBeLessThanOrEqual(width);
      expect(cell.y + cell.h).toBeLessThanOrEqual(found.height);
    }
    expect(overlaps(found.cells)).toEqual([]);
    expect(overlaps(found.boxes)).toEqual([]);
  });

  it.runIf(name !== "many stages")("is on one screen", () => {
    for (const width of WIDTHS.slice(0, 3)) {
      expect(made(scene, width).height).toBeLessThanOrEqual(TALL);
    }
  });

  it("is the same whenever it is laid out", () => {
    expect(made(structuredClone(scene), 764)).toEqual(made(scene, 764));
  });

  it.each(WIDTHS)("is reached by arrow keys from anywhere at %i pixels", (width) => {
    const { cells } = made(scene, width);
    const seen = new Set([0]);
    for (const from of seen) {
      for (const key of ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]) {
        seen.add(roam(cells, from, key) ?? from);
      }
    }
    expect(seen.size).toBe(cells.length);
  });
});

function overlaps(
  cells: readonly { id: string; x: number; y: number; w: number; h: number }[],
): string[] {
  return cells.flatMap((a, i) =>
    cells
      .slice(i + 1)
      .filter((b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h)
      .map((b) => `${a.id} ${b.id}`),
  );
}

describe("the level of detail", () => {
  it("shrinks from cards to marks as agents are added", () => {
    const levels = [3, 12, 20, 60, 100, 300, 700].map((n) => made(swarm(0, n, 0), 1176).level.h);
    expect(levels).toEqual([...levels].sort((a, b) => b - a));
    expect(made(swarm(0, 3, 0), 1176).level.name).toBe("card");
    expect(made(swarm(0, 12, 0), 1176).level.name).toBe("card");
    expect(made(swarm(0, 60, 0), 1176).level.name).toBe("slip");
    expect(made(swarm(0, 120, 0), 1176).level.name).toBe("chip");
    expect(made(swarm(0, 700, 0), 1176).level.name).toBe("dot");
  });
});

describe("a run that grows", () => {
  it.each([456, 1176])("moves nobody within a stage, while rows and size last, at %i", (width) => {
    let kept = 0;
    for (let n = 2; n < 300; n++) {
      const [before, after] = [made(swarm(0, n - 1, 0), width), made(swarm(0, n, 0), width)];
      const same =
        before.level.name === after.level.name && before.boxes[0]?.cols === after.boxes[0]?.cols;
      if (same && before.level.w === after.level.w) {
        kept++;
        expect(offsets(after).slice(0, n - 1)).toEqual(offsets(before));
      }
    }
    expect(kept).toBeGreaterThan(250);
  });

  it("puts a stage that comes after those that were there", () => {
    const [before, after] = [made(swarm(0, 9, 4), 1176), made(swarm(0, 9, 4, 6), 1176)];
    expect(after.boxes[1]?.x).toBeGreaterThan(after.boxes[0]?.x ?? 0);
    expect(before.blocks.slice(0, 4).map(({ id }) => id)).toEqual(
      after.blocks.slice(0, 4).map(({ id }) => id),
    );
  });

  it("shows where sub-agents come back before that step has begun, at the same place", () => {
    const waiting = swarm(0, 3);
    (waiting.agents[0] as Agent).ended = null;
    const [before, after] = [made(waiting, 1176), made(swarm(0, 3, 0), 1176)];
    expect(before.cells.at(-1)).toMatchObject({ kind: "join", id: "a0/3" });
    expect(after.cells.at(-1)).toMatchObject({ kind: "step", id: "a0/3" });
    expect(before.cells.at(-1)?.x).toBe(after.cells.at(-1)?.x);
    expect(made(swarm(0, 3), 1176).cells.at(-1)?.kind).toBe("agent");
  });
});

function offsets(found: Layout): [number, number][] {
  const [first, ...rest] = agents(found) as [Cell, ...Cell[]];
  return [first, ...rest].map(({ x, y }) => [x - first.x, y - first.y]);
}

describe("bare steps in a row", () => {
  const kinds = (blocks: Block[]): string =>
    blocks.map(({ kind, from, to }) => `${kind} ${from}-${to}`).join(", ");

  it("are told apart up to a number, and the earlier ones are counted", () => {
    expect(kinds(flow(swarm(0, 0, 0, 0), 3))).toBe("step 1-1, step 2-2, step 3-3, step 4-4");
    expect(kinds(flow(swarm(0, 0, 0, 0, 0, 2), 2))).toBe(
      "run 1-3, bare 4-4, bare 5-5, step 6-6, group 6-6",
    );
  });

  it("never hide a step that launched, or to which sub-agents came back", () => {
    const found = kinds(flow(swarm(2, 0, 0, 0, 0, 0, 2), 1));
    expect(found).toBe("step 1-1, group 1-1, step 2-2, run 3-5, bare 6-6, step 7-7, group 7-7");
  });
});

describe("edges", () => {
  it("lead from the step to each sub-agent and from each to the next step", () => {
    const scene = swarm(3, 0);
    const ids = route(made(scene, 1176), scene.agents, []).map(({ id }) => id);
    const wanted = ["#1", "#2", "#3"].flatMap((id) => [`a0/1>${id}`, `${id}>a0/2`]);
    expect(ids.length).toBe(wanted.length);
    expect(new Set(ids)).toEqual(new Set(wanted));
  });

  it("are one area each way where sub-agents lie side by side, but the critical one is a line", () => {
    const scene = swarm(65, 0);
    scene.path = [
      [0, 0, 1, "call", 1],
      [27, 1, 3, "call", 1],
      [0, 3, 3.1, "other", 2],
      [0, 3.1, 4, "call", 2],
    ];
    const found = made(scene, 1176);
    expect(pathCells(scene, found)).toEqual(["a0/1", "#27", "a0/2"]);
    const edges = route(found, scene.agents, pathCells(scene, found));
    expect(edges.map(({ id, kind, critical }) => [id, kind, critical])).toEqual([
      ["a0/1/subs<", "funnel", false],
      ["a0/1/subs>", "funnel", false],
      ["a0/1>#27", "line", true],
      ["#27>a0/2", "line", true],
    ]);
    expect(edges[1]?.back).toHaveLength(65);
  });

  it("of a critical path go through the steps that are counted together", () => {
    const scene = swarm(...Array(9).fill(0), 2);
    scene.path = Array.from({ length: 10 }, (_, i) => [0, i, i + 1, "call", i + 1]);
    const found = layout(flow(scene, 3), flow(scene, 3), 1176);
    const steps = ["a0/1+", "a0/7", "a0/8", "a0/9", "a0/10"];
    expect(pathCells(scene, found)).toEqual(steps);
    const marked = route(found, scene.agents, steps).filter(({ critical }) => critical);
    expect(marked.map(({ id }) => id)).toEqual(steps.slice(1).map((id, i) => `${steps[i]}>${id}`));
  });

  it.each([1176, 456])("of a plan are those that it says, at %i pixels", (width) => {
    const scene = plan(1, 6, 2, 1);
    const edges = route(made(scene, width), scene.agents, ["#0", "#2"]);
    const wanted = scene.agents.flatMap(({ number, after }) =>
      after.map((id) => `#${id.slice(1)}>#${number}`),
    );
    expect(edges.length).toBe(wanted.length);
    expect(new Set(edges.map(({ id }) => id))).toEqual(new Set(wanted));
    expect(wanted.length).toBeGreaterThan(9);
  });

  it("of a plan cross less: agents lie beside those that they come after", () => {
    const scene = plan(3, 3);
    scene.agents.slice(3).forEach((one, i) => {
      one.after = [`a${2 - i}`];
    });
    expect(flow(scene, 3)[1]?.members).toEqual([5, 4, 3]);
  });

  it("are numbers, wherever they go", () => {
    for (const scene of Object.values(RUNS)) {
      for (const width of WIDTHS) {
        for (const { d } of route(made(scene, width), scene.agents, [])) {
          expect(d).toMatch(/^M[-\d. MLCHVhqZ]+$/);
        }
      }
    }
  });
});

describe("words", () => {
  it("say the picture in one sentence", () => {
    const scene = swarm(0, 3, 2, 0);
    scene.path = [
      [0, 0, 1, "call", 2],
      [2, 1, 2, "call", 1],
      [0, 2, 3, "call", 3],
    ];
    const states = ["finished", "finished", "failed", "finished", "thinking", "finished"];
    expect(sentence(scene, flow(scene, 3), states)).toBe(
      "a0 reader: finished, 2 steps; 2 stages, 5 sub-agents: 1 thinking, 3 finished, 1 failed; " +
        "critical path: a0 reader → a2 reader → a0 reader",
    );
  });

  it("are cut between letters, to what fits", () => {
    const measure = (text: string): number => [...text].length * 10;
    expect(cut("museum-reader", 130, measure)).toBe("museum-reader");
    expect(cut("museum-reader", 129, measure)).toBe("museum-read…");
    expect(cut("🦊🦊🦊🦊", 30, measure)).toBe("🦊🦊…");
    expect(cut("museum", 5, measure)).toBe("");
  });
});
