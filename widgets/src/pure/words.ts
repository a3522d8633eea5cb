// How numbers and states are put into words: the same as `kimi_nb.views.words` puts them.

const SHAPES: Record<string, string> = {
  waiting: "·",
  queued: "◌",
  thinking: "●",
  retrying: "↻",
  tool: "◆",
  running: "●",
  finished: "✓",
  partial: "◐",
  failed: "✗",
  cancelled: "⊘",
  over_budget: "▲",
};

export const SIMULATOR = "SIMULATOR: no language model took part";

export function shape(state: string): string {
  return SHAPES[state] ?? "?";
}

export function word(state: string): string {
  return state.replaceAll("_", " ");
}

/** Shape and word, as "✓ finished". */
export function stateWord(state: string): string {
  return `${shape(state)} ${word(state)}`;
}

/** A duration, as "4.2 s" or "12 min 05 s". */
export function seconds(value: number): string {
  if (value < 600) {
    return `${value.toFixed(1)} s`;
  }
  const whole = Math.round(value);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}

/** A cost, as "$0.31"; a fraction of a cent keeps four digits. */
export function dollars(value: number | null, simulated: boolean): string {
  if (simulated) {
    return "$0";
  }
  if (value === null) {
    return "unknown cost";
  }
  const digits = value > 0 && value < 0.01 ? 4 : 2;
  return `$${value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

/** A number with its noun, as "1 step" or "1,200 steps". */
export function count(number: number, noun: string): string {
  return `${grouped(number)} ${noun}${number === 1 ? "" : "s"}`;
}

export function grouped(number: number): string {
  // What has nothing to group is most of it, and the locale's way of writing it is slow.
  return Number.isInteger(number) && number >= 0 && number < 1000
    ? String(number)
    : number.toLocaleString("en-US");
}

/** A number in at most five characters, as "13.9k". */
export function short(number: number): string {
  for (const [size, letter] of [
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    if (number >= size) {
      const scaled = number / size;
      return `${scaled >= 99.95 ? scaled.toFixed(0) : scaled.toFixed(1)}${letter}`;
    }
  }
  return String(number);
}
