import { describe, expect, it } from "vitest";
import {
  answering,
  budget,
  elapsed,
  type Figure,
  figures,
  LEAD,
  progress,
  reason,
  remaining,
  statusWord,
  trained,
} from "../src/pure/headline.ts";
import type { Run, Training } from "../src/pure/scene.ts";
import { dollars } from "../src/pure/words.ts";

const RUN: Run = {
  name: "museums",
  goal: "Compare.",
  model: "kimi-k3",
  simulated: false,
  status: "running",
  why: "",
  judged: "",
  resumed: 0,
  sub_agents: 20,
  ended: 12,
  states: {},
  estimated: false,
  left_s: null,
  budget: [],
  agents: 21,
  stages: 2,
  total_steps: 1234,
  critical_steps: 1,
  tool_calls: 1,
  work_s: 1,
  span_s: 1,
  wall_s: 1,
  average_concurrency: null,
  parallelism: null,
  tokens_in: 36_700,
  tokens_out: 2400,
  tokens_cached: 100,
  cost_usd: 0.31,
  failed_agents: 0,
  retries: 0,
};

function words(found: Figure[]): Record<string, string> {
  return Object.fromEntries(found.map(({ key, value, noun }) => [key, `${value} ${noun}`.trim()]));
}

describe("the figures", () => {
  it("are numbers with what they are of", () => {
    expect(words(figures(RUN))).toEqual({
      ended: "12 of 20 sub-agents ended",
      steps: "1,234 steps",
      critical: "1 critical step",
      tools: "1 tool call",
      tokens: "36.7k tokens in, 2.4k out",
      cost: "$0.31 at list prices",
    });
  });

  it("say what went wrong only where something did", () => {
    const found = figures({ ...RUN, retries: 1, failed_agents: 2 });
    expect(words(found)).toMatchObject({ retries: "↻ 1 retry", failed: "✗ 2 failed" });
    expect(found.find(({ key }) => key === "failed")?.mark).toBe("bad");
  });

  it("own up to estimates and to what is not known", () => {
    const found = words(
      figures({ ...RUN, estimated: true, cost_usd: null, sub_agents: 0, ended: 0 }),
    );
    expect(found.tokens).toBe("about 36.7k tokens in, 2.4k out");
    expect(found.cost).toBe("unknown cost");
    expect(found).not.toHaveProperty("ended");
  });

  it("cost nothing where no model was called", () => {
    expect(words(figures({ ...RUN, simulated: true })).cost).toBe("$0 no model was called");
  });

  it("name who answers, unless rules alone do", () => {
    expect(answering(RUN)).toBe("kimi-k3");
    expect(answering({ ...RUN, simulated: true, model: "simulator" })).toBe("");
    expect(answering({ ...RUN, simulated: true, model: "parl:t.npz" })).toBe("parl:t.npz");
  });

  it("have a share of sub-agents that ended, if there are any", () => {
    expect(progress(RUN)).toBe(0.6);
    expect(progress({ ...RUN, sub_agents: 0 })).toBeNull();
  });
});

describe("the budget", () => {
  it("says what is spent of what, and marks what is nearly used up", () => {
    const found = budget({
      ...RUN,
      budget: [
        ["tokens", 4_000_000, 39_100],
        ["critical steps", 60, 54],
        ["usd", 3, 2.5],
        ["seconds", 30, 6.5],
      ],
    });
    expect(words(found)).toEqual({
      tokens: "39.1k of 4.0M tokens",
      "critical steps": "▲ 54 of 60 critical steps",
      usd: "$2.50 of $3.00",
      seconds: "6.5 of 30 seconds",
    });
    expect(found.map(({ mark }) => mark)).toEqual(["", "tight", "", ""]);
    expect(found.map(({ hint }) => hint)[1]).toBe("90% of the budget");
  });

  it("survives a limit of nothing", () => {
    expect(budget({ ...RUN, budget: [["steps", 0, 0]] })[0]?.mark).toBe("tight");
  });
});

describe("the status", () => {
  it("has a shape and a word", () => {
    expect(statusWord("over_budget", false)).toBe("▲ over budget");
    expect(statusWord("running", true)).toBe("● running");
  });

  it("is unfinished where the log ends before the run", () => {
    expect(statusWord("running", false)).toBe("● unfinished");
    expect(reason(RUN, false)).toBe("the log ends before the run does");
    expect(reason(RUN, true)).toBe("");
    expect(reason({ ...RUN, status: "cancelled", why: "by the user" }, false)).toBe("by the user");
  });
});

describe("the clock", () => {
  it("goes on between two messages, and waits for the next one", () => {
    expect(elapsed(12, 0.3, true)).toBeCloseTo(12.3);
    expect(elapsed(12, 60, true)).toBe(12 + LEAD);
    expect(elapsed(12, -1, true)).toBe(12);
    expect(elapsed(12, 0.3, false)).toBe(12);
  });

  it("says about how long it still takes", () => {
    expect(remaining(11.6, true)).toBe("about 12 s left");
    expect(remaining(0.2, true)).toBe("about 1 s left");
    expect(remaining(725, true)).toBe("about 12 min 05 s left");
    expect(remaining(null, true)).toBe("");
    expect(remaining(12, false)).toBe("");
  });
});

it("a training says which iteration it is at", () => {
  const training = { rows: [[1], [2]], iterations: 200, seed: 7 } as unknown as Training;
  expect(words(trained(training))).toEqual({ iteration: "2 of 200 iterations", seed: "seed 7" });
});

it("a fraction of a cent keeps its digits", () => {
  expect([0, 0.0028, 0.31, 1234.5].map((value) => dollars(value, false))).toEqual([
    "$0.00",
    "$0.0028",
    "$0.31",
    "$1,234.50",
  ]);
});
