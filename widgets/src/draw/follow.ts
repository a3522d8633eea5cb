// A box that grows at its end: whoever has scrolled there sees what is added.

/** Pixels from the end that count as the end. */
const NEAR = 16;

/** Keeps a box at its end while the reader is there. Looks when one scrolls, and never measures
 * in between: that would have the page laid out for every message. */
export class Follow {
  readonly #box: HTMLElement;
  #there: boolean;

  /** `there`: it is at its end before anybody has scrolled. */
  constructor(box: HTMLElement, there: boolean) {
    this.#box = box;
    this.#there = there;
    box.addEventListener("scroll", () => this.#look(), { passive: true });
  }

  /** Something was added. */
  grown(): void {
    if (this.#there) {
      this.#box.scrollTop = this.#box.scrollHeight;
    }
  }

  /** Another content begins at its top, and is followed from there or not. */
  anew(there: boolean): void {
    this.#box.scrollTop = 0;
    this.#there = there;
  }

  #look(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.#box;
    this.#there = scrollTop > 0 && scrollHeight - scrollTop - clientHeight < NEAR;
  }
}
