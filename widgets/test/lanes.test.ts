import { describe, expect, it, test } from "vitest";
import { clock, marks } from "../src/pure/axis.ts";
import {
  every,
  horizon,
  laneAt,
  laneHeight,
  order,
  type Plot,
  pan,
  reveal,
  shared,
  timeOf,
  type View,
  visible,
  xOf,
  yOf,
  zoom,
} from "../src/pure/lanes.ts";
import { pieces } from "../src/pure/pieces.ts";
import type { Agent, Kind, Span } from "../src/pure/scene.ts";

/** Numbers from 0 to 1, the same every time. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function plots(): Plot[] {
  const throws = dice(1);
  return Array.from({ length: 300 }, () => {
    const from = throws() * 100;
    const lanes = 1 + Math.floor(throws() * 300);
    const lane = laneHeight(lanes, 520);
    const bottom = 16 + Math.min(lane * lanes, 520);
    return {
      from,
      to: from + 0.05 + throws() * 1000,
      left: 40 + throws() * 100,
      right: 400 + throws() * 800,
      top: 16,
      bottom,
      lane,
      lanes,
      scroll: Math.round(throws() * Math.max(lanes * lane - (bottom - 16), 0)),
    };
  });
}

describe("lanes", () => {
  it.each([1, 20, 100, 300, 500, 640, 641, 2000, 10_000])("%d of them fit on a screen", (lanes) => {
    const lane = laneHeight(lanes, 520);
    expect(lanes * lane).toBeLessThanOrEqual(640.001);
    const top = 18;
    const bottom = top + lanes * lane;
    const plot = { from: 0, to: 9, left: 0, right: 9, top, bottom, lane, lanes, scroll: 0 };
    const rows = Array.from({ length: lanes }, (_, i) => yOf(plot, i));
    expect(rows.every((y) => Number.isInteger(y) && y >= top && y < bottom)).toBe(true);
    expect(new Set(rows).size).toBe(Math.min(lanes, 640));
  });

  it("say how many share a row", () => {
    expect(shared(640 / 1280)).toMatch(/^2 agents share/);
    expect(shared(640 / 2001)).toMatch(/^3.1 agents share/);
  });
});

describe("places", () => {
  it("are found again by their time and lane", () => {
    for (const plot of plots()) {
      expect(xOf(plot, plot.from)).toBeCloseTo(plot.left, 6);
      expect(xOf(plot, plot.to)).toBeCloseTo(plot.right, 6);
      const t = plot.from + (plot.to - plot.from) * 0.37;
      expect(timeOf(plot, xOf(plot, t))).toBeCloseTo(t, 6);
      const [first, last] = visible(plot);
      expect(last).toBeGreaterThan(first);
      for (let lane = first; lane < last; lane++) {
        const middle = yOf(plot, lane) + plot.lane / 2;
        const inside = middle >= plot.top && middle < plot.bottom;
        expect(laneAt(plot, middle)).toBe(inside ? lane : -1);
      }
      expect(laneAt(plot, plot.top - 1)).toBe(-1);
      expect(laneAt(plot, plot.bottom)).toBe(-1);
    }
  });

  it("come into sight with as little scrolling as possible", () => {
    for (const plot of plots()) {
      for (const lane of [0, plot.lanes >> 1, plot.lanes - 1]) {
        const seen = { ...plot, scroll: reveal(plot, lane) };
        expect(yOf(seen, lane)).toBeGreaterThanOrEqual(seen.top);
        expect(yOf(seen, lane) + seen.lane).toBeLessThanOrEqual(seen.bottom + seen.lane);
        expect(reveal(seen, lane)).toBe(seen.scroll);
      }
    }
  });
});

test("a hundred agents fit where there are 520 pixels, and a name stands beside few", () => {
  expect(laneHeight(101, 520) * 101).toBeLessThanOrEqual(520);
  expect(laneHeight(4, 520)).toBeGreaterThanOrEqual(20);
  expect(laneHeight(300, 520)).toBe(2);
  for (const lane of [2, 3, 5, 8, 13, 22]) {
    expect(every(lane) * lane).toBeGreaterThanOrEqual(13);
  }
});

test("the main agent comes first, the others as they began", () => {
  const roles = ["sub-agent", "sub-agent", "orchestrator", "sub-agent"] as const;
  const agents = roles.map((role, number) => ({ role, number }) as Agent);
  expect(order(agents).map((agent) => agent.number)).toEqual([2, 0, 1, 3]);
});

describe("zoom", () => {
  const throws = dice(2);
  const cases = Array.from({ length: 500 }, () => {
    const end = 0.1 + throws() * 1000;
    const long = end * (0.01 + 0.98 * throws());
    const from = throws() * (end - long);
    return { end, view: { from, to: from + long }, at: throws(), factor: 0.2 + throws() * 4 };
  });

  it("stays within the run, and where the pointer is if it can", () => {
    for (const { end, view, at, factor } of cases) {
      const t = view.from + at * (view.to - view.from);
      const next = zoom(view, end, t, factor);
      if (next === null) {
        expect((view.to - view.from) * factor).toBeGreaterThanOrEqual(end);
        continue;
      }
      expect(next.from).toBeGreaterThanOrEqual(0);
      expect(next.to).toBeLessThanOrEqual(end + 1e-9);
      const share = (t - next.from) / (next.to - next.from);
      const edge = next.from === 0 || Math.abs(next.to - end) < 1e-9;
      expect(edge || Math.abs(share - at) < 1e-6).toBe(true);
    }
  });

  it("ends somewhere in both directions", () => {
    let view: View | null = { from: 0, to: 100 };
    for (let i = 0; i < 100; i++) {
      view = zoom(view as View, 100, 30, 0.7);
    }
    expect((view as View).to - (view as View).from).toBeCloseTo(0.02, 6);
    for (let i = 0; i < 100 && view !== null; i++) {
      view = zoom(view, 100, 30, 1.5);
    }
    expect(view).toBeNull();
  });

  it("moves without changing its length", () => {
    for (const { end, view, factor } of cases) {
      for (const by of [-factor, factor, 10 * end, -10 * end]) {
        const next = pan(view, end, by);
        expect(next.to - next.from).toBeCloseTo(view.to - view.from, 6);
        expect(next.from).toBeGreaterThanOrEqual(0);
        expect(next.to).toBeLessThanOrEqual(end + 1e-9);
      }
    }
  });
});

test("while a run goes on the picture ends a little later, and seldom elsewhere", () => {
  const ends = new Set<number>();
  for (let now = 0; now < 3600; now += 0.7) {
    const end = horizon(now, true);
    expect(end).toBeGreaterThanOrEqual(now * 1.03 - 1e-9);
    expect(end).toBeLessThanOrEqual(Math.max(now * 1.3, 2.001));
    ends.add(end);
  }
  expect(ends.size).toBeLessThan(50);
  expect(horizon(41.2, false)).toBe(41.2);
  expect(horizon(0, false)).toBeGreaterThan(0);
});

describe("the axis", () => {
  it("has round marks that can be read", () => {
    const throws = dice(3);
    for (let i = 0; i < 500; i++) {
      const from = throws() < 0.3 ? 0 : throws() * 50_000;
      const view = { from, to: from + 10 ** (throws() * 7 - 1.5) };
      const room = 200 + throws() * 1200;
      const found = marks(view, room);
      const gaps = found.slice(1).map((mark, k) => mark.t - (found[k]?.t ?? 0));
      const pixels = gaps.map((gap) => (gap / (view.to - view.from)) * room);
      expect(Math.min(...pixels, Infinity)).toBeGreaterThanOrEqual(84 - 1e-6);
      expect(found.length).toBeGreaterThanOrEqual(room < 420 ? 0 : 1);
      expect(new Set(found.map((mark) => mark.text)).size).toBe(found.length);
      expect(found.every((mark) => mark.t >= view.from - 1e-6 && mark.t <= view.to + 1e-6)).toBe(
        true,
      );
    }
  });

  it("says times with their units", () => {
    const said: [number, number, string][] = [
      [0, 10, "0 s"],
      [0.25, 0.05, "0.25 s"],
      [90, 10, "90 s"],
      [125, 5, "125 s"],
      [300, 60, "5 min"],
      [630, 30, "10:30 min"],
      [605.5, 0.5, "10:05.5 min"],
      [659.96, 0.1, "11 min"],
      [7200, 600, "2 h"],
      [9000, 1800, "2:30 h"],
      [7203, 1, "120:03 min"],
    ];
    for (const [t, step, text] of said) {
      expect(clock(t, step)).toBe(text);
    }
  });
});

describe("what is drawn of a lane", () => {
  const KINDS: Kind[] = ["call", "tool", "queued", "retry", "failed"];

  function lane(throws: () => number, fine: boolean): Span[] {
    const spans: Span[] = [];
    for (let t = throws(); t < 100; ) {
      const long = throws() ** (fine ? 6 : 2) * 4 + 0.001;
      const kind = KINDS[Math.floor(throws() * 5)] as Kind;
      spans.push([0, t, t + long, kind, spans.length]);
      t += long + (throws() < 0.5 ? 0 : throws() * (fine ? 0.01 : 1));
    }
    return spans;
  }

  const throws = dice(4);
  const cases = Array.from({ length: 200 }, (_, i) => {
    const from = i % 2 ? throws() * 50 : 0;
    const view = { from, to: i % 2 ? from + 0.5 + throws() * 40 : 101 };
    return { spans: lane(throws, i % 3 === 0), view, cells: 50 + Math.floor(throws() * 900) };
  });

  it("lies in order, beside each other and within the picture", () => {
    for (const { spans, view, cells } of cases) {
      const found = pieces(spans, view, cells);
      const quiet = found.filter(([kind]) => kind !== "failed");
      expect(quiet.length).toBeLessThanOrEqual(cells);
      for (const [, first, last] of found) {
        expect(first).toBeGreaterThanOrEqual(0);
        expect(last).toBeLessThanOrEqual(cells);
        expect(last).toBeGreaterThan(first);
      }
      for (const [i, piece] of quiet.entries()) {
        expect(piece[1]).toBeGreaterThanOrEqual(quiet[i - 1]?.[2] ?? 0);
      }
    }
  });

  it("shows every stretch of a pixel or more, and every failed attempt", () => {
    let seen = 0;
    for (const { spans, view, cells } of cases) {
      const found = pieces(spans, view, cells);
      const scale = cells / (view.to - view.from);
      for (const [, began, ended, kind] of spans) {
        const [a, b] = [(began - view.from) * scale, (ended - view.from) * scale];
        if (b <= 0.5 || a >= cells - 0.5 || (kind !== "failed" && b - a < 1)) {
          continue;
        }
        const middle = Math.min(Math.max((Math.round(a) + Math.round(b)) / 2, 0.5), cells - 0.5);
        const drawn = found.filter(([k, p, q]) => k === kind && p <= middle && middle <= q);
        expect(drawn.length, `${kind} at ${began}`).toBeGreaterThan(0);
        seen++;
      }
    }
    expect(seen).toBeGreaterThan(1000);
  });

  it("shows of many in one pixel what takes most of it", () => {
    const spans: Span[] = [];
    for (let i = 0; i < 1000; i++) {
      const t = i / 10;
      spans.push([0, t, t + 0.07, "call", i], [0, t + 0.07, t + 0.1, "tool", i]);
    }
    expect(pieces(spans, { from: 0, to: 100 }, 100)).toEqual([["call", 0, 100]]);
  });
});
