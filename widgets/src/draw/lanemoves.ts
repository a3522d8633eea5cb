// What the pointer, the wheel and the keys do on the timeline.

import { laneAt, type Plot, timeOf, xOf } from "../pure/lanes.ts";
import type { Cursor } from "./lanecursor.ts";

/** What they ask for. */
export interface Moves {
  plot(): Plot;
  cursor(): Cursor;
  /** The cursor goes there; null is nowhere. `aloud` if by a key. */
  point(cursor: Cursor | null, aloud: boolean): void;
  /** Zoom around a time; a factor of 0 shows all. */
  zoom(t: number, factor: number): void;
  pan(seconds: number, down: number): void;
  choose(lane: number): void;
  seek(t: number): void;
}

/** Pixels from which a press is a drag. */
const DRAG = 4;
const STEP = 1 / 50;
const PAGE = 10;
export const CLOSER = 0.7;

/** Listens on the element, and on nothing beyond it. */
export function listen(field: HTMLElement, moves: Moves): void {
  field.addEventListener("wheel", (event) => wheel(event, moves), { passive: false });
  field.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey || event.altKey) && key(event, moves)) {
      event.preventDefault();
    }
  });
  pointer(field, moves);
}

/** Without a key held, the wheel is the page's. */
function wheel(event: WheelEvent, moves: Moves): void {
  const plot = moves.plot();
  const perPixel = (plot.to - plot.from) / (plot.right - plot.left);
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1);
    moves.zoom(timeOf(plot, event.offsetX), Math.exp(Math.min(Math.max(pixels, -120), 120) / 250));
  } else if (event.shiftKey) {
    event.preventDefault();
    moves.pan((event.deltaX || event.deltaY) * perPixel, 0);
  }
}

function pointer(field: HTMLElement, moves: Moves): void {
  const down = new Map<number, { x: number; y: number }>();
  let moved = false;
  let onAxis = false;

  const at = (event: PointerEvent): Cursor => {
    const plot = moves.plot();
    return { lane: laneAt(plot, event.offsetY), t: clamped(plot, timeOf(plot, event.offsetX)) };
  };
  field.addEventListener("pointerdown", (event) => {
    if (event.button === 0) {
      down.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
      moved = down.size > 1;
      onAxis = event.offsetY >= moves.plot().bottom;
      field.setPointerCapture(event.pointerId);
    }
  });
  field.addEventListener("pointermove", (event) => {
    const from = down.get(event.pointerId);
    if (from === undefined) {
      moves.point(at(event), false);
      return;
    }
    const [across, along] = [event.offsetX - from.x, event.offsetY - from.y];
    if (!moved && Math.hypot(across, along) < DRAG) {
      return;
    }
    moved = true;
    const plot = moves.plot();
    const to = { x: event.offsetX, y: event.offsetY };
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    down.set(event.pointerId, to);
    if (onAxis) {
      moves.seek(at(event).t);
    } else if (other === undefined) {
      moves.pan((-across * (plot.to - plot.from)) / (plot.right - plot.left), -along);
    } else {
      const apart = Math.max(Math.abs(to.x - other.x), 1);
      moves.zoom(timeOf(plot, (to.x + other.x) / 2), Math.abs(from.x - other.x) / apart);
    }
  });
  const up = (event: PointerEvent): void => {
    if (down.delete(event.pointerId) && !moved && event.type === "pointerup") {
      const { lane, t } = at(event);
      if (onAxis) {
        moves.seek(t);
      } else {
        moves.choose(lane);
      }
    }
  };
  field.addEventListener("pointerup", up);
  field.addEventListener("pointercancel", up);
  field.addEventListener("pointerleave", () => moves.point(null, false));
}

/** Whether the key means something here. */
function key(event: KeyboardEvent, moves: Moves): boolean {
  const plot = moves.plot();
  const { lane, t } = moves.cursor();
  const step = (plot.to - plot.from) * STEP * (event.shiftKey ? 5 : 1);
  const go = (to: number, time: number): void => {
    moves.point({ lane: Math.min(Math.max(to, 0), plot.lanes - 1), t: Math.max(time, 0) }, true);
  };
  const keys: Record<string, () => void> = {
    ArrowUp: () => go(lane - 1, t),
    ArrowDown: () => go(lane + 1, t),
    PageUp: () => go(lane - PAGE, t),
    PageDown: () => go(lane + PAGE, t),
    ArrowLeft: () => go(lane, t - step),
    ArrowRight: () => go(lane, t + step),
    Home: () => go(lane, 0),
    End: () => go(lane, Infinity),
    Enter: () => (event.shiftKey ? moves.seek(t) : moves.choose(lane)),
    " ": () => moves.choose(lane),
    "+": () => moves.zoom(t, CLOSER),
    "=": () => moves.zoom(t, CLOSER),
    "-": () => moves.zoom(t, 1 / CLOSER),
    "0": () => moves.zoom(t, 0),
  };
  keys[event.key]?.();
  return event.key in keys;
}

function clamped(plot: Plot, t: number): number {
  return xOf(plot, t) < plot.left ? plot.from : Math.min(t, plot.to);
}
