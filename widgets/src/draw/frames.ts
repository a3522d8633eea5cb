// When a view is drawn: with the next frame, but not between a press and its release. What is drawn
// moves what stands below it, and a press that is let go of elsewhere is none.

/** What is pressed where it stands. A slider is dragged, and a picture panned: these are drawn. */
const PRESSED = "button, summary, [role=option]";
/** Milliseconds for which a press holds drawing back at most: its end may never be heard of. */
const HELD = 3000;
const ENDS = ["pointerup", "pointercancel"] as const;

/** Draws a view when it is asked to. */
export class Frames {
  readonly #draw: () => void;
  #frame = 0;
  #held: ReturnType<typeof setTimeout> | undefined;
  #owed = false;

  constructor(element: HTMLElement, draw: () => void) {
    this.#draw = draw;
    element.addEventListener("pointerdown", ({ target }) => {
      if (target instanceof Element && target.closest(PRESSED) !== null) {
        this.#hold();
      }
    });
  }

  /** Draw with the next frame; however often it is asked for, once. */
  later(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.#held === undefined) {
        this.#draw();
      } else {
        this.#owed = true;
      }
    });
  }

  /** Draw no more. */
  stop(): void {
    cancelAnimationFrame(this.#frame);
    this.#free();
  }

  #hold(): void {
    this.#free();
    this.#held = setTimeout(this.#release, HELD);
    for (const end of ENDS) {
      window.addEventListener(end, this.#release); // it may be let go of outside of the view
    }
  }

  #free(): void {
    if (this.#held !== undefined) {
      clearTimeout(this.#held);
      this.#held = undefined;
      for (const end of ENDS) {
        window.removeEventListener(end, this.#release);
      }
    }
  }

  /** The click comes after this, and before the next frame. */
  readonly #release = (): void => {
    this.#free();
    if (this.#owed) {
      this.#owed = false;
      this.later();
    }
  };
}
