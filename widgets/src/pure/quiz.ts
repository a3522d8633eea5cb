// What the kernel tells a page about a quiz: see `kimi_nb.teach.sitting`.

/** Of an option: "right", "wrong", or "" for what is not known yet. */
export type Mark = string;

export interface Form {
  words: Record<string, string>;
  /** Shape and word of each mark. */
  marks: Record<Mark, [string, string]>;
  /** Options by letter and text. */
  items: { asks: string; options: [string, string][] }[];
}

export interface Told {
  /** With the score, once there is one. */
  title: string;
  items: { marks: Record<string, Mark>; lines: string[]; over: boolean }[];
}
