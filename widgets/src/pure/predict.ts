// What the kernel tells a page about a prediction: see `kimi_nb.teach.guess`.

import type { Points } from "./curve.ts";

/** The fixed words, in the reader's language: see `kimi_nb.teach.words`. */
export interface Words {
  prediction: string;
  lock: string;
  once: string;
  next: string;
  busy: string;
  sending: string;
  type: string;
  slider: string;
  choose: string;
  draw: string;
  drawing: string;
  how: string;
  spot: string;
  most: string;
  empty: string;
  clear: string;
  agent: string;
  several: string;
  agents: string;
  share: string;
  time: string;
  said: string;
  true: string;
  mine: string;
  right: string;
  both: string;
  locked: string;
  when: string;
  earlier: string;
}

interface Spoken {
  words: Words;
}

/** A text with what stands in it in braces. */
export function fill(text: string, facts: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(facts[name] ?? whole));
}

export interface NumberForm extends Spoken {
  kind: "number";
  question: string;
  unit: string;
  whole: boolean;
  /** Where the slider ends at first. */
  far: number;
  step: number;
  /** The least that may be locked; null where there is none. */
  least: number | null;
}

export interface ChoiceForm extends Spoken {
  kind: "choice";
  question: string;
  choices: string[];
}

export interface CurveForm extends Spoken {
  kind: "curve";
  question: string;
  /** Where the axis of time ends; null for the share of the run, from 0 to 1. */
  seconds: number | null;
  /** Where the axis of agents ends. */
  agents: number;
  columns: number;
}

export type Form = NumberForm | ChoiceForm | CurveForm;

/** A number, one of the choices, or steps (time, agents). */
export type Value = number | string | Points;

export interface Locked {
  value: Value;
  words: string;
  when: string;
}

export interface Outcome {
  /** What the trace says, in words; "" where it does not say. */
  true: string;
  words: string;
  right: boolean | null;
  truth: Value | null;
  notes: string[];
}

export interface Told {
  locked: Locked | null;
  outcome: Outcome | null;
  /** Predictions that were made anew since. */
  earlier: string[];
}
