// What a view asks of the kernel and what it takes of the answers, which all views of a run hear.

import { expect, test, vi } from "vitest";
import { Store } from "../src/host.ts";
import type { Listener, Model } from "../src/wire.ts";

class Kernel implements Model {
  readonly asked: unknown[] = [];
  #listeners: [string, Listener][] = [];

  get(): unknown {
    return "";
  }

  set(): void {}

  save_changes(): void {}

  send(content: unknown): void {
    this.asked.push(content);
  }

  on(event: string, listener: Listener): void {
    this.#listeners.push([event, listener]);
  }

  off(event: string, listener: Listener): void {
    this.#listeners = this.#listeners.filter(([e, l]) => e !== event || l !== listener);
  }

  tell(message: object): void {
    for (const [event, listener] of this.#listeners) {
      if (event === "msg:custom") {
        listener(...([message] as never[]));
      }
    }
  }

  /** The times of the past that it was asked for. */
  get times(): unknown[] {
    return this.asked.flatMap((question) => {
      const { kind, t } = question as { kind: string; t?: number };
      return kind === "at" ? [t] : [];
    });
  }
}

function view(kernel: Kernel): Store {
  return new Store(kernel, () => undefined);
}

test("a slow kernel is asked for one time of the past after the other, and then for the last", () => {
  vi.useFakeTimers({ toFake: ["performance"] }); // no four seconds pass, after which it asks again
  const kernel = new Kernel();
  const store = view(kernel);
  for (const t of [5, 4, 3, 2]) {
    store.lookBack(t);
  }
  expect(kernel.times).toEqual([5]);
  kernel.tell({ kind: "at", t: 5, run: {}, path: [] });
  expect(store.past?.t).toBe(5);
  expect(kernel.times).toEqual([5, 2]);
  kernel.tell({ kind: "at", t: 2, run: {}, path: [] });
  expect(store.past?.t).toBe(2);
  store.lookBack(1);
  store.lookAhead();
  kernel.tell({ kind: "at", t: 1, run: {}, path: [] });
  expect(kernel.times).toEqual([5, 2, 1]);
  expect(store.past).toBe(null);
  store.dispose();
  vi.useRealTimers();
});

test("the time that another view looks at is not this one's", () => {
  const kernel = new Kernel();
  const [one, two] = [view(kernel), view(kernel)];
  one.lookBack(5);
  two.lookBack(2);
  kernel.tell({ kind: "at", t: 5, run: {}, path: [] });
  kernel.tell({ kind: "at", t: 2, run: {}, path: [] });
  expect([one.past?.t, two.past?.t]).toEqual([5, 2]);
  one.dispose();
  two.dispose();
});
