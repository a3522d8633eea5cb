// The board on which a curve is drawn, with the pointer or with the keyboard.

import { moment, pointsOf, press, spotAt, stroke } from "../pure/curve.ts";
import { type CurveForm, fill } from "../pure/predict.ts";
import type { Asking } from "./asking.ts";
import { axes } from "./axes.ts";
import { button, h, set, write } from "./dom.ts";

/** Axes to draw on. */
export function drawing(form: CurveForm): Asking {
  const { seconds, agents, columns, words } = form;
  const end = seconds ?? 1;
  const heights = new Array<number>(columns).fill(0);
  const pen = { column: 0, carry: false };
  const board = axes(form, end, agents);
  const told = h("p", { class: "knp-quiet knp-read" });
  const { plot } = board;
  let last = { column: 0, height: 0 };
  let frame = 0;

  set(plot, {
    tabindex: 0,
    role: "slider",
    class: "knp-plot knp-board",
    "aria-roledescription": words.drawing,
    "aria-label": `${form.question} ${words.agents}, ${seconds === null ? words.share : words.time}. ${words.how}`,
    "aria-valuemin": 0,
    "aria-valuemax": agents,
  });

  const show = (): void => {
    frame = 0;
    const from = (end * pen.column) / columns;
    const to = (end * (pen.column + 1)) / columns;
    const height = heights[pen.column] ?? 0;
    const here = fill(words.spot, {
      from: moment(from, seconds),
      to: moment(to, seconds),
      agents: fill(height === 1 ? words.agent : words.several, { n: height }),
    });
    board.curve("knp-said", pointsOf(heights, end), end);
    board.at(plot.matches(":focus") ? { from, to, height } : null);
    set(plot, { "aria-valuenow": height, "aria-valuetext": here });
    const most = Math.max(...heights);
    write(told, most === 0 ? words.empty : fill(words.most, { here, n: most }));
  };
  const later = (): void => {
    frame ||= requestAnimationFrame(show);
  };
  const spot = (event: PointerEvent): typeof last => {
    const box = plot.getBoundingClientRect();
    const across = (event.clientX - box.left) / box.width;
    return spotAt(across, (event.clientY - box.top) / box.height, columns, agents);
  };
  const draw = (events: PointerEvent[]): void => {
    for (const event of events) {
      const next = spot(event);
      stroke(heights, last, next);
      last = next;
    }
    pen.column = last.column;
    later();
  };

  plot.addEventListener("pointerdown", (event) => {
    if (event.button === 0) {
      event.preventDefault(); // no text is selected while one draws
      plot.focus({ preventScroll: true });
      plot.setPointerCapture(event.pointerId);
      last = spot(event);
      draw([event]);
    }
  });
  plot.addEventListener("pointermove", (event) => {
    if (plot.hasPointerCapture(event.pointerId)) {
      // A page that comes over plain http to another machine has no coalesced events.
      const between = "getCoalescedEvents" in event ? event.getCoalescedEvents() : [];
      draw(between.length > 0 ? between : [event]);
    }
  });
  plot.addEventListener("keydown", (event) => {
    pen.carry = event.shiftKey;
    if (
      !(event.ctrlKey || event.metaKey || event.altKey) &&
      press(event.key, heights, pen, agents)
    ) {
      event.preventDefault();
      later();
    }
  });
  plot.addEventListener("focus", later);
  plot.addEventListener("blur", later);

  const clear = button(words.clear, "", () => {
    heights.fill(0);
    later();
  });
  show();
  return {
    element: h("div", {}, board.element, told, h("p", { class: "knp-quiet" }, words.how)),
    buttons: [clear],
    missing: words.draw,
    value: () => (heights.some((height) => height > 0) ? pointsOf(heights, end) : null),
    dispose: () => cancelAnimationFrame(frame),
  };
}
