// Doing something often asked for not more often than so many milliseconds.

export interface Throttle<Value> {
  /** Do it with this: at once, or when the time has come, unless it is asked for anew until then. */
  (value: Value): void;
  /** Forget what is still to be done. */
  stop(): void;
}

export function throttle<Value>(
  milliseconds: number,
  act: (value: Value) => void,
): Throttle<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waiting: { value: Value } | null = null;
  const due = (): void => {
    timer = undefined;
    if (waiting !== null) {
      ask(waiting.value);
    }
  };
  const ask = (value: Value): void => {
    if (timer !== undefined) {
      waiting = { value };
      return;
    }
    waiting = null;
    timer = setTimeout(due, milliseconds);
    act(value);
  };
  const stop = (): void => {
    clearTimeout(timer);
    timer = undefined;
    waiting = null;
  };
  return Object.assign(ask, { stop });
}
