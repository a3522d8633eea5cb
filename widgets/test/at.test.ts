import { describe, expect, it, test } from "vitest";
import { lastBefore, stateAt, stretchAt, timeline } from "../src/pure/at.ts";
import { type Agent, apply, empty, type Scene } from "../src/pure/scene.ts";
import { golden, RUNS } from "./golden.ts";

function scene(name: string): Scene {
  const found = empty();
  apply(found, golden(name).whole);
  return found;
}

describe.each(RUNS)("%s", (name) => {
  const run = scene(name);
  const { states } = golden(name);

  it("is in the state that the log up to then tells", () => {
    expect(Object.keys(states).length).toBeGreaterThan(8);
    for (const [time, truth] of Object.entries(states)) {
      const t = Number(time);
      const shown = run.agents.filter((agent) => stateAt(run, agent, t) !== "");
      const found = Object.fromEntries(shown.map((agent) => [agent.id, stateAt(run, agent, t)]));
      expect(found, `at ${time} s`).toEqual(truth);
    }
  });

  it("has stretches that follow each other and reach the present", () => {
    for (const agent of run.agents) {
      const spans = timeline(run, agent, run.now);
      for (const [i, span] of spans.entries()) {
        expect(span[2]).toBeGreaterThan(span[1]);
        expect(span[1]).toBeGreaterThanOrEqual(spans[i - 1]?.[2] ?? agent.began);
      }
      if (agent.open !== null && agent.open[0] < run.now) {
        expect(spans.at(-1)?.[2]).toBe(run.now);
      }
    }
  });

  it("has in a stretch what the timeline has there", () => {
    for (const agent of run.agents) {
      for (const [, began, ended, kind, step] of timeline(run, agent, run.now)) {
        const found = stretchAt(run, agent, (began + ended) / 2);
        expect(found?.slice(1, 2)).toEqual([began]);
        expect(found?.slice(3)).toEqual([kind, step]);
      }
    }
  });
});

test("an agent that a resumed run took up had ended in between", () => {
  const run = scene("resumed");
  const agent = run.agents[1] as Agent;
  expect(agent.ends).toEqual([[4, "cancelled", 9.5]]);
  expect([3.9, 4, 9.4, 9.5].map((t) => stateAt(run, agent, t))).toEqual([
    "thinking",
    "cancelled",
    "cancelled",
    "thinking",
  ]);
});

test("a wait that is over is a call, though no record says so", () => {
  const run = empty();
  const agent = { ...(scene("live").agents[4] as Agent), number: 0, state: "retrying" };
  run.agents = [{ ...agent, began: 0, open: [1, "retry", 1, 2] }];
  run.now = 5;
  const only = run.agents[0] as Agent;
  expect([0.5, 1, 2, 2.1, 5, 9].map((t) => stateAt(run, only, t))).toEqual([
    "waiting",
    "retrying",
    "retrying",
    "thinking",
    "thinking",
    "thinking",
  ]);
  expect(timeline(run, only, 5).map((span) => span[3])).toEqual(["retry", "call"]);
});

test("the last stretch that began is found among many", () => {
  const spans = Array.from({ length: 50 }, (_, i) => [0, i * 2, i * 2 + 1, "call", i] as const);
  for (let t = -1; t < 101; t += 0.5) {
    const plainly = spans.filter((span) => span[1] <= t).length - 1;
    expect(
      lastBefore(
        spans.map((span) => [...span]),
        t,
      ),
    ).toBe(plainly);
  }
});
