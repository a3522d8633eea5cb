// How wide a text is, measured without touching the page.

export type Measure = (text: string, strong: boolean) => number;

const SIZE = 11.5;
/** Texts that are remembered. */
const MOST = 5000;

/** Measures in the font of an element, once that is in the page; a text twice costs nothing. */
export function ruler(element: Element): Measure {
  const context = document.createElement("canvas").getContext("2d");
  let family = "";
  const known = new Map<string, number>();
  return (text, strong) => {
    family ||= element.isConnected ? getComputedStyle(element).fontFamily : "";
    const key = `${strong ? "+" : "-"}${text}`;
    const found = known.get(key);
    if (found !== undefined || context === null) {
      return found ?? text.length * SIZE * 0.6;
    }
    context.font = `${strong ? 600 : 400} ${SIZE}px ${family || "sans-serif"}`;
    const width = context.measureText(text).width;
    if (known.size > MOST) {
      known.clear();
    }
    known.set(key, width);
    return width;
  };
}
