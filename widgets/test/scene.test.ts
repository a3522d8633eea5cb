import { describe, expect, it, test } from "vitest";
import { apply, type Changes, empty, type Scene } from "../src/pure/scene.ts";
import { golden, RUNS } from "./golden.ts";

function built(...messages: Changes[]): Scene {
  const scene = empty();
  for (const message of messages) {
    expect(apply(scene, message)).toBe("taken");
  }
  return scene;
}

test("there is something to test with", () => {
  expect(RUNS.length).toBeGreaterThan(5);
});

describe.each(RUNS)("%s", (name) => {
  it("is the same in pieces and whole", () => {
    const { batches, whole } = golden(name);
    const scene = built(...batches);
    expect(scene).toEqual(built(whole));
    expect(scene.agents.length).toBe(scene.run?.agents);
    expect(scene.spans.flat().length).toBeGreaterThan(0);
  });

  it("takes a piece once", () => {
    const { batches } = golden(name);
    const scene = empty();
    for (const message of batches) {
      expect(apply(scene, message)).toBe("taken");
      const before = structuredClone(scene);
      // What begins at nothing replaces everything, by the same.
      expect(apply(scene, structuredClone(message))).toBe(message.from ? "known" : "taken");
      expect(scene).toEqual(before);
    }
    for (const message of golden(name).batches) {
      expect(apply(scene, message)).toBe("known");
    }
    expect(scene).toEqual(built(golden(name).whole));
  });

  it("notices a missing piece, takes nothing until it has it all, then goes on", () => {
    const { batches, whole } = golden(name);
    const last = batches.pop() as Changes;
    const scene = empty();
    apply(scene, batches[0] as Changes);
    const before = structuredClone(scene);
    for (const message of batches.slice(2)) {
      expect(apply(scene, message)).toBe("gap");
    }
    expect(scene).toEqual(before);
    const snapshot = wholeOf(batches, golden(name).batches.slice(0, -1));
    expect(apply(scene, snapshot)).toBe("taken");
    expect(apply(scene, last)).toBe("taken");
    expect(scene).toEqual(built(whole));
  });

  it("catches up when it comes late, and again from the snapshot of an earlier time", () => {
    const { batches, whole } = golden(name);
    const scene = empty();
    expect(apply(scene, batches.at(-1) as Changes)).toBe("gap");
    expect(scene).toEqual(empty());
    expect(apply(scene, whole)).toBe("taken");
    expect(apply(scene, batches.at(-1) as Changes)).toBe("known");
    expect(apply(scene, { ...whole, to: whole.to - 1 })).toBe("known");
    expect(scene).toEqual(built(golden(name).whole));
  });
});

test("a training is as long as it is", () => {
  const rows = Array.from({ length: 300_000 }, () => [1]);
  const rewards = {
    what: "",
    seed: 0,
    iterations: 1,
    status: "",
    why: "",
    schedules: [],
    columns: [],
    rows,
  };
  expect(built({ from: 0, to: 1, now: 0, rewards }).training?.rows.length).toBe(300_000);
});

/** The pieces as one message: what the kernel would have answered when it was asked for all. */
function wholeOf(known: Changes[], pieces: Changes[]): Changes {
  const scene = built(...pieces);
  return {
    ...(known.at(-1) as Changes),
    from: 0,
    run: scene.run ?? undefined,
    answer: scene.answer,
    agents: scene.agents,
    spans: scene.spans.flat(),
    ticks: scene.ticks.flat(),
    stages: scene.stages,
    path: scene.path,
    profile: scene.profile,
  } as Changes;
}
