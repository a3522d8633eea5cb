import { describe, expect, it } from "vitest";
import { type Agent, apply, empty, type Run, type Scene, type Stage } from "../src/pure/scene.ts";
import {
  ahead,
  bars,
  headline,
  longest,
  type Row,
  rows,
  standing,
  sum,
  waited,
  who,
} from "../src/pure/stages.ts";
import { golden, RUNS } from "./golden.ts";

function agent(number: number, steps: number, ended: number | null = 9): Agent {
  return { number, id: `a0${number}`, steps, ended } as Agent;
}

function stage(number: number, main: number, most: number, subs: number[], parent = "a00"): Stage {
  return {
    parent,
    number,
    began: number,
    ended: number + 1,
    main_steps: main,
    max_sub_steps: most,
    sub_agents: subs,
  };
}

function scene(stages: Stage[], ...agents: Agent[]): Scene {
  const found = { ...empty(), stages };
  for (const one of agents) {
    found.agents[one.number] = one;
  }
  return found;
}

describe.each(RUNS)("%s", (name) => {
  const run = empty();
  apply(run, golden(name).whole);
  const all = rows(run);

  it("adds up to the critical steps that the kernel counted", () => {
    expect(all.length).toBeGreaterThan(0);
    expect(all.at(-1)?.total).toBe(run.run?.critical_steps);
    expect(all.reduce((total, row) => total + row.main + row.most, 0)).toBe(
      run.run?.critical_steps,
    );
  });

  it("has every sub-agent in one row, the slowest first, whose steps are the kernel's maximum", () => {
    const seen = all.flatMap((row) => row.subs.map((sub) => sub.id));
    const subs = run.agents.filter((one) => one.role === "sub-agent").map((one) => one.id);
    expect(seen.length).toBe(subs.length);
    expect(new Set(seen)).toEqual(new Set(subs));
    for (const row of all.filter((one) => one.subs.length > 0)) {
      expect(row.subs[0]?.steps).toBe(row.most);
      expect(Math.max(...row.subs.map((sub) => sub.steps))).toBe(row.most);
    }
  });
});

describe("rows", () => {
  it("joins stages of the main agent alone, and no others", () => {
    const all = rows(
      scene(
        [stage(1, 1, 0, []), stage(2, 1, 0, []), stage(3, 1, 2, [1]), stage(4, 1, 0, [])],
        agent(1, 2),
      ),
    );
    expect(all.map((row) => [row.title, row.stages, sum(row), row.total, who(row)])).toEqual([
      ["Stages 1–2", 2, "2", 2, "main agent alone"],
      ["Stage 3", 1, "1 + 2 = 3", 5, "1 sub-agent"],
      ["Stage 4", 1, "1", 6, "main agent alone"],
    ]);
  });

  it("leaves out a stage in which nothing has been paid for", () => {
    expect(rows(scene([stage(1, 0, 0, [])]))).toEqual([]);
  });

  it("calls the stages of a plan levels, which have no main agent", () => {
    const all = rows(
      scene([stage(1, 0, 3, [1], ""), stage(2, 0, 1, [2], "")], agent(1, 3), agent(2, 1)),
    );
    expect(all.map((row) => [row.title, sum(row), row.total])).toEqual([
      ["Level 1", "3", 3],
      ["Level 2", "1", 4],
    ]);
  });

  it("is measured by rows with sub-agents, however often the main agent is alone", () => {
    const alone = Array.from({ length: 30 }, (_, at) => stage(at + 1, 1, 0, []));
    expect(longest(rows(scene(alone)))).toBe(30);
    expect(longest(rows(scene([...alone, stage(31, 1, 2, [1])], agent(1, 2))))).toBe(3);
    expect(longest([])).toBe(1);
  });
});

describe("what is said of a row", () => {
  const of = (...steps: number[]): Row => {
    const agents = steps.map((number, at) => agent(at + 1, number));
    return rows(
      scene(
        [
          stage(
            1,
            1,
            Math.max(...steps),
            agents.map((one) => one.number),
          ),
        ],
        ...agents,
      ),
    )[0] as Row;
  };

  it.each([
    [[4], "4 steps"],
    [[1], "1 step"],
    [[5, 4], "5 steps · the other 4"],
    [[3, 3], "3 steps, like the other"],
    [[3, 3, 3], "3 steps, like all the others"],
    [[5, 2, 2, 1], "5 steps · the others 1.7 on average"],
    [[2, 5, 5, 5], "5 steps, like 2 others · the others 4 on average"],
  ])("%j: %s", (steps, told) => {
    expect(waited(of(...steps))).toBe(told);
  });

  it("tells of which time its numbers are", () => {
    const row = of(2, 1);
    expect(standing(row, null)).toBe("");
    expect(standing(row, 0.5)).toBe("not begun");
    expect(standing(row, 1.5)).toBe("in the end");
    expect(standing(row, 2)).toBe("");
    expect(standing({ ...row, open: true }, null)).toBe("so far");
    expect(standing({ ...row, open: true }, 5)).toBe("by now");
  });
});

describe("bars", () => {
  it("has a bar for each that took a step", () => {
    expect(bars([agent(1, 3), agent(2, 1), agent(3, 0)])).toBe("M0 0H3v1H0zM0 1H1v1H0z");
  });

  it("leaves room before those that are still at work", () => {
    expect(ahead([agent(1, 3, null), agent(2, 1), agent(3, 1, null)], 3)).toBe("M1 2H3v1H1z");
  });
});

describe("headline", () => {
  const run = {
    agents: 2,
    critical_steps: 23,
    total_steps: 1178,
    wall_s: 12,
    status: "finished",
    budget: [["critical steps", 60, 23]],
  };
  const of = (change: Partial<Run>): Scene => ({ ...empty(), run: { ...run, ...change } as Run });

  it.each([
    [{}, null, "23 critical steps of 1,178 steps in all · budget 60"],
    [{ budget: [], critical_steps: 1 }, null, "1 critical step of 1,178 steps in all"],
    [{ status: "running" }, null, "So far: 23 critical steps of 1,178 steps in all · budget 60"],
    [{ wall_s: 4 }, 4.2, "At 4.2 s: 23 critical steps of 1,178 steps in all · budget 60"],
    [{}, 4.2, "In the end: 23 critical steps of 1,178 steps in all · budget 60"],
    [{ agents: 0, total_steps: 0 }, null, "No agent has begun yet."],
  ])("%j at %s", (change, at, told) => {
    expect(headline(of(change as Partial<Run>), at)).toBe(told);
  });

  it("waits for a run", () => {
    expect(headline(empty(), null)).toBe("No agent has begun yet.");
  });
});
