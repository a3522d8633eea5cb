// A canvas as sharp as the screen, and the theme's colours for it.

/** Values of the custom properties of theme.css. */
export type Colours = Record<(typeof NAMES)[number], string>;

const NAMES = [
  ...(["text", "quiet", "paper", "line", "focus"] as const),
  ...(["call", "tool", "wait", "bad", "crit", "ui"] as const),
];

export function colours(element: Element): Colours {
  const style = getComputedStyle(element);
  const found = NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]);
  return Object.fromEntries(found) as Colours;
}

/** Empty a canvas and fit it to a size in CSS pixels, in which is drawn. */
export function clear(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  dense: number,
): CanvasRenderingContext2D {
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const [w, h] = [Math.round(width * dense), Math.round(height * dense)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  context.setTransform(dense, 0, 0, dense, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** A text cut at its end to so many pixels. */
export function fit(context: CanvasRenderingContext2D, text: string, room: number): string {
  if (context.measureText(text).width <= room) {
    return text;
  }
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (context.measureText(`${text.slice(0, middle)}…`).width <= room) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low > 0 ? `${text.slice(0, low)}…` : "";
}
