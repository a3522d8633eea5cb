// The marks of a time axis: round times, with their units.

import type { View } from "./lanes.ts";

export interface Mark {
  t: number;
  text: string;
}

/** Pixels between two marks at least. */
const APART = 84;
const DAY = 86_400;
const STEPS = [
  ...[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30],
  ...[60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 28_800, DAY],
];

/** Round times with their units, far enough apart to be read on `room` pixels. */
export function marks(view: View, room: number): Mark[] {
  const least = ((view.to - view.from) * APART) / Math.max(room, 1);
  const step = STEPS.find((seconds) => seconds >= least) ?? Math.ceil(least / DAY) * DAY;
  const found: Mark[] = [];
  for (let i = Math.ceil(view.from / step - 1e-9); i * step <= view.to * (1 + 1e-12); i++) {
    found.push({ t: i * step, text: clock(i * step, step) });
  }
  return found;
}

/** A time, exact to `step` seconds: as "2.5 s", "90 s", "12 min", "12:30 min", "2:05 h". */
export function clock(t: number, step: number): string {
  const digits = step < 1 ? Math.ceil(-Math.log10(step) - 1e-9) : 0;
  if (t < 120 || (t < 600 && step < 60)) {
    return `${t.toFixed(digits)} s`;
  }
  if (t >= 7200 && step >= 60) {
    return parts(t / 60, 0, "h");
  }
  return parts(t, digits, "min");
}

/** So many sixtieths as wholes and, after a colon, the rest. */
function parts(sixtieths: number, digits: number, name: string): string {
  const fine = 10 ** digits;
  const all = Math.round(sixtieths * fine);
  const whole = Math.floor(all / (60 * fine));
  const rest = all - whole * 60 * fine;
  const said = (rest / fine).toFixed(digits).padStart(digits > 0 ? digits + 3 : 2, "0");
  return rest === 0 ? `${whole} ${name}` : `${whole}:${said} ${name}`;
}
