// What is fetched only once somebody can see it.

/** Tells when an element comes into sight, once. */
export class Sight {
  readonly #waiting = new Map<Element, () => void>();
  readonly #observer = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) {
        this.#observer.unobserve(target);
        this.#waiting.get(target)?.();
        this.#waiting.delete(target);
      }
    }
  });

  wait(element: Element, then: () => void): void {
    this.#waiting.set(element, then);
    this.#observer.observe(element);
  }

  /** Forget whatever is waited for. */
  clear(): void {
    this.#observer.disconnect();
    this.#waiting.clear();
  }
}
