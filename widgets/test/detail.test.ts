import { describe, expect, it } from "vitest";
import { asOf, type Call, type Detail, merge, type Told, type Turn } from "../src/pure/detail.ts";
import { roll } from "../src/pure/roll.ts";
import type { Agent } from "../src/pure/scene.ts";
import { about, callWords, excerpt, retryWords, turnWords } from "../src/pure/telling.ts";

function turn(step: number, more: Partial<Turn> = {}): Turn {
  return {
    step,
    began: step,
    ended: step + 1,
    text: `said ${step}`,
    thinking: "",
    cut: false,
    finish: "stop",
    tokens_in: 900,
    tokens_out: 60,
    tokens_cached: 0,
    estimated: false,
    retries: [],
    calls: [],
    ...more,
  };
}

function call(more: Partial<Call> = {}): Call {
  return {
    call: 0,
    tool: "read_file",
    arguments: "{}",
    began: 2,
    ended: 3,
    outcome: "ok",
    text: "found",
    artefacts: [],
    launched: [],
    ...more,
  };
}

function told(id: string, since: number, turns: Turn[]): Told {
  return { kind: "agent", id, task: "task", prompt: "", outcome: "", since, turns };
}

const AGENT: Agent = {
  number: 5,
  id: "a05",
  label: "a05 reader",
  role: "sub-agent",
  task: "Read the zoo.",
  parent: "a00",
  stage: 2,
  after: [],
  state: "tool",
  doing: "",
  open: null,
  began: 2.7,
  ended: null,
  ends: [],
  steps: 3,
  tool_calls: 4,
  failed_tool_calls: 1,
  retries: 1,
  tokens_in: 2000,
  tokens_out: 140,
  queued_s: 0.4,
  busy_s: 1,
};

function texts(detail: Detail): string[] {
  return detail.turns.map(({ text }) => text);
}

describe("a message about the chosen agent", () => {
  it("replaces the turns from its first step on", () => {
    const known = merge(null, told("a05", 0, [turn(1), turn(2), turn(3)]));
    const next = merge(known, told("a05", 2, [turn(2, { text: "new" }), turn(3), turn(4)]));
    expect(texts(next)).toEqual(["said 1", "new", "said 3", "said 4"]);
  });

  it("begins anew for another agent", () => {
    const known = merge(null, told("a05", 0, [turn(1)]));
    expect(texts(merge(known, told("a06", 2, [turn(2)])))).toEqual(["said 2"]);
  });
});

describe("the past of an agent", () => {
  const detail: Detail = {
    id: "a05",
    task: "task",
    prompt: "",
    outcome: "done",
    turns: [
      turn(1, { calls: [call({ began: 2, ended: 4, artefacts: ["00.png"] })] }),
      turn(4, { ended: 6 }),
    ],
  };

  it("has no turn that had not begun, and nothing of what was still to come", () => {
    const [first, ...others] = asOf(detail, 3, 7).turns;
    expect(others).toEqual([]);
    expect(first?.text).toBe("said 1");
    expect(first?.calls).toEqual([
      call({ ended: null, outcome: "running", text: "", artefacts: [] }),
    ]);
    expect(asOf(detail, 3, 7).outcome).toBe("");
  });

  it("has a turn that was being written as one", () => {
    const open = asOf(detail, 5, 7).turns[1];
    expect(open).toMatchObject({ ended: null, text: "", finish: "", tokens_in: 0, calls: [] });
  });

  it("is all of it at the end", () => {
    expect(asOf(detail, 7, 7)).toEqual(detail);
  });
});

/** Spaces that do not break, as those that do. */
function plain(text: string): string {
  return text.replaceAll("\u00a0", " ");
}

describe("words", () => {
  it("tell how an agent is doing, and of the past only when", () => {
    expect(plain(about(AGENT, 5.6, null))).toBe(
      "stage 2 · 2.9 s (from 2.7 s to now) · 3 steps · 4 tool calls (✗ 1 failed) · ↻ 1 retry" +
        " · ◌ queued 0.4 s · 2.0k tokens in, 140 out",
    );
    expect(plain(about({ ...AGENT, ended: 4 }, 9, 5))).toBe(
      "stage 2 · began at 2.7 s · ended at 4.0 s",
    );
    expect(plain(about({ ...AGENT, ended: 4 }, 9, 3))).toBe("stage 2 · began at 2.7 s");
    expect(plain(about(AGENT, 9, 1))).toBe("stage 2 · has not begun");
  });

  it("tell what came of a turn where it is not plain", () => {
    expect(plain(turnWords(turn(1), 9))).toBe("1.0 s · 900 tokens in, 60 out");
    expect(
      plain(turnWords(turn(1, { ended: null, finish: "", tokens_in: 0, tokens_out: 0 }), 9)),
    ).toBe("8.0 s · ● being written");
    expect(turnWords(turn(1, { finish: "failed", estimated: true }), 9)).toContain("✗");
    expect(turnWords(turn(1, { estimated: true }), 9)).toContain("about");
  });

  it("tell how a call went", () => {
    expect(callWords(call(), 9)).toBe("✓ ok · 1.0 s");
    expect(callWords(call({ outcome: "running", ended: null }), 9)).toBe("◆ running · 7.0 s");
    expect(callWords(call({ outcome: "interrupted" }), 9)).toBe("⊘ interrupted · 1.0 s");
  });

  it("tell why an attempt failed", () => {
    const retry = { t: 2.8, error: "Overloaded", why: "429", wait: 1.5, text: "" };
    expect(retryWords(retry)).toBe("↻ at 2.8 s Overloaded: 429; again after 1.5 s");
    expect(retryWords({ ...retry, error: "", why: "the run stopped" })).toBe(
      "↻ at 2.8 s the run stopped",
    );
  });
});

describe("a long text", () => {
  const lines = (count: number): string =>
    Array.from({ length: count }, (_, i) => `line ${i}`).join("\n");

  it("is whole if little more would be hidden", () => {
    expect(excerpt(lines(9))).toEqual([lines(9), ""]);
    expect(excerpt("")).toEqual(["", ""]);
  });

  it("is its first lines, and says how many there are", () => {
    expect(excerpt(lines(1042))).toEqual([lines(8), "1,042 lines"]);
  });

  it("is its beginning where it is one line", () => {
    const [head, all] = excerpt("x".repeat(5000));
    expect([head.length, all]).toEqual([801, "5,000 characters"]);
  });
});

describe("the list of agents", () => {
  const agents = (["waiting", "finished", "failed", "tool"] as const).map(
    (state, number): Agent => ({
      ...AGENT,
      number,
      id: `a0${number}`,
      label: `a0${number} ${number === 3 ? "Analyst" : "reader"}`,
      role: number === 0 ? "orchestrator" : "sub-agent",
      state,
      began: 0,
      ended: state === "finished" ? 9 : null,
    }),
  );
  const ids = (found: Agent[]): string[] => found.map(({ id }) => id);

  it("has the main agent first, then what wants to be looked at", () => {
    expect(ids(roll(agents, "", "state", 5))).toEqual(["a00", "a02", "a03", "a01"]);
  });

  it("has the longest first, or the order in which they began", () => {
    expect(ids(roll(agents, "", "time", 5))).toEqual(["a01", "a00", "a02", "a03"]);
    expect(ids(roll(agents, "", "start", 5))).toEqual(["a00", "a01", "a02", "a03"]);
  });

  it("finds all the words, in whatever case", () => {
    expect(ids(roll(agents, " READER failed", "state", 5))).toEqual(["a02"]);
    expect(ids(roll(agents, "analyst", "state", 5))).toEqual(["a03"]);
    expect(ids(roll(agents, "zoo nothing", "state", 5))).toEqual([]);
  });

  it("leaves out numbers that are not known yet", () => {
    const holes: Agent[] = [];
    holes[2] = agents[2] as Agent;
    expect(ids(roll(holes, "", "state", 5))).toEqual(["a02"]);
  });
});
