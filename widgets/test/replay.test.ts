import { afterEach, beforeEach, describe, expect, it, test, vi } from "vitest";
import { moment, sentence } from "../src/pure/moment.ts";
import { type Agent, apply, empty } from "../src/pure/scene.ts";
import { speeds } from "../src/pure/speeds.ts";
import { throttle } from "../src/pure/throttle.ts";
import { golden } from "./golden.ts";

test("any run is played in a sensible time, and slower and faster ones are offered", () => {
  for (const seconds of [0, 0.5, 12, 41.2, 600, 7200, 90_000]) {
    const [slow, middle, fast] = speeds(seconds);
    expect(seconds / middle).toBeLessThanOrEqual(30);
    expect(middle === 1 || seconds / middle > 7).toBe(true);
    expect([slow * 4, fast / 4]).toEqual([middle, middle]);
  }
  expect(speeds(41.2)).toEqual([1, 4, 16]);
});

describe("what is often asked for", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is done at once, then seldom, and the last of it always", () => {
    const done: number[] = [];
    const ask = throttle(125, (value: number) => done.push(value));
    for (let i = 0; i < 100; i++) {
      ask(i);
      vi.advanceTimersByTime(10);
    }
    vi.advanceTimersByTime(1000);
    expect(done[0]).toBe(0);
    expect(done.at(-1)).toBe(99);
    expect(done.length).toBeLessThanOrEqual(9);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    ask(200);
    expect(done.at(-1)).toBe(200);
  });

  it("is forgotten when it is stopped", () => {
    const done: number[] = [];
    const ask = throttle(125, (value: number) => done.push(value));
    ask(1);
    ask(2);
    ask.stop();
    vi.advanceTimersByTime(1000);
    expect(done).toEqual([1]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

test("the time cursor tells what an agent did", () => {
  const run = empty();
  apply(run, golden("live").whole);
  const said = (lane: number, t: number): string =>
    sentence(moment(run, run.agents[lane] as Agent, t));
  expect(said(1, 0.2)).toBe("a01 louvre at 0.2 s: begins at 0.5 s");
  expect(said(1, 1.7)).toBe("a01 louvre at 1.7 s: tools of step 1: 0.50 s; ✓ read_file 0.50 s");
  expect(said(1, 3)).toBe("a01 louvre at 3.0 s: ✓ finished at 2.7 s");
  expect(said(2, 1)).toBe("a02 prado at 1.0 s: waits for a slot, step 2: 1.0 s");
  expect(said(3, 2.5)).toBe("a03 rijks at 2.5 s: tools of step 1: 1.0 s so far");
  expect(said(4, 1)).toBe("a04 met at 1.0 s: model call without an answer, step 1: 1.5 s");
  expect(said(0, 2)).toBe("a00 orchestrator at 2.0 s: waits for its sub-agents");
  expect(moment(run, run.agents[4] as Agent, 2.5).what).toMatch(/^waits to try step 1 again: /);
});
