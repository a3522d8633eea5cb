// How λ goes over a training: the same formulas as in `kimi_nb.views.anneal`, for the small curve
// beside the sliders, which follows a finger faster than a kernel can answer.

/** [start, end, shape, until] */
export type Plan = [start: number, end: number, shape: Shape, until: number];
export const SHAPES = ["constant", "linear", "cosine", "exponential", "step"] as const;
export type Shape = (typeof SHAPES)[number];

export interface Preset {
  name: string;
  /** What it sets, in a sentence. */
  told: string;
  parallel: Plan;
  finish: Plan;
}

const OFF: Plan = [0, 0, "constant", 1];
const REST = "λ_finish is 0.";

export const PRESETS: readonly Preset[] = [
  {
    name: "no auxiliary reward: λ = 0",
    told: "Only the outcome is paid: both λ are 0.",
    parallel: OFF,
    finish: OFF,
  },
  {
    name: "published 0.1 → 0",
    told: `λ_parallel from 0.1 to 0 over the training, as Kimi’s blog has it; the report publishes no value. ${REST}`,
    parallel: [0.1, 0, "linear", 1],
    finish: OFF,
  },
  {
    name: "0.3 → 0",
    told: `λ_parallel from 0.3 to 0 over the first 70 % of the training. ${REST}`,
    parallel: [0.3, 0, "linear", 0.7],
    finish: OFF,
  },
  {
    name: "0.5 constant",
    told: `λ_parallel stays at 0.5 to the end. ${REST}`,
    parallel: [0.5, 0.5, "constant", 1],
    finish: OFF,
  },
];

const STEEPNESS = 5;

/** λ when that part of the training is done. */
export function at([start, end, shape, until]: Plan, progress: number): number {
  const u = progress / until;
  if (u <= 0) {
    return start;
  }
  return u >= 1 ? end : end + (start - end) * left(shape, u);
}

function left(shape: Shape, u: number): number {
  switch (shape) {
    case "constant":
    case "step":
      return 1;
    case "linear":
      return 1 - u;
    case "cosine":
      return (1 + Math.cos(Math.PI * u)) / 2;
    case "exponential": {
      const last = Math.exp(-STEEPNESS);
      return (Math.exp(-STEEPNESS * u) - last) / (1 - last);
    }
  }
}

/** As "0.3 → 0, linear until 70 %" or "0.5 constant". */
export function told([start, end, shape, until]: Plan): string {
  if (shape === "constant") {
    return `${plain(start)} constant`;
  }
  return `${plain(start)} → ${plain(end)}, ${shape} until ${Math.round(until * 100)} %`;
}

function plain(value: number): string {
  return String(Number(value.toPrecision(3)));
}

export function same(one: Plan, other: Plan): boolean {
  return one.every((value, place) => value === other[place]);
}

/** A plan from the kernel or from a snapshot, or null where it is none. */
export function planOf(value: unknown): Plan | null {
  if (!Array.isArray(value) || value.length !== 4) {
    return null;
  }
  const [start, end, shape, until] = value as unknown[];
  const known = SHAPES.find((name) => name === shape);
  const numbers = [start, end, until].every((number) => Number.isFinite(number));
  return known !== undefined && numbers
    ? [start as number, end as number, known, until as number]
    : null;
}

/** The path of λ over the progress 0 to 1, in a box; `top` is the λ at its upper edge. */
export function path(plan: Plan, width: number, height: number, top: number): string {
  const y = (value: number): string => (height - (height * value) / top).toFixed(1);
  const points: string[] = [];
  const steps = 50;
  for (let i = 0; i <= steps; i++) {
    points.push(`${((width * i) / steps).toFixed(1)} ${y(at(plan, i / steps))}`);
  }
  if (plan[2] === "step") {
    const x = (width * plan[3]).toFixed(1);
    const rest = plan[3] < 1 ? `H${width}` : "";
    return `M0 ${y(plan[0])}H${x}V${y(plan[1])}${rest}`;
  }
  return `M${points.join("L")}`;
}
