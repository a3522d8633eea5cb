// Where the keyboard is: into what was opened by it, and back when that is closed.

/** Moves the focus into a place that opens and closes, if it was the keyboard that opened it. */
export class Passage {
  readonly #place: HTMLElement;
  #from: HTMLElement | SVGElement | null = null;

  constructor(place: HTMLElement) {
    this.#place = place;
  }

  /** Open or close the place by `draw`; the focus goes along. */
  open(isOpen: boolean, draw: () => void): void {
    const active = this.#active();
    const view = this.#place.closest(".kimi-nb-view");
    const inside = active !== null && this.#place.contains(active);
    const visible = active?.matches(":focus-visible") ?? false;
    draw();
    if (isOpen) {
      if (!inside && visible && view?.contains(active)) {
        this.#from = active;
      }
      if (inside || (visible && view?.contains(active))) {
        this.#place.focus();
      }
    } else {
      const back = this.#from?.isConnected ? this.#from : null;
      if (inside) {
        (back ?? view?.querySelector<HTMLElement>(".knw-tabs [aria-selected=true]"))?.focus();
      }
      this.#from = null;
    }
  }

  /** The element with the focus, also within a shadow tree. */
  #active(): HTMLElement | SVGElement | null {
    const root = this.#place.getRootNode();
    const found =
      root instanceof Document || root instanceof ShadowRoot ? root.activeElement : null;
    return found instanceof HTMLElement || found instanceof SVGElement ? found : null;
  }
}
