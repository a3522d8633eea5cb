// What a prediction and a quiz share: a form that the kernel gives, answers out, and what it tells.

import type { Given } from "./mount.ts";
import { type Listener, Wire } from "./wire.ts";

interface Shown<Told> {
  readonly element: HTMLElement;
  /** Show what the kernel has told. */
  show(told: Told): void;
  /** Something to say about the last press of a button; "" for nothing. */
  say(text: string): void;
  /** Nobody has answered for a while. */
  busy(): void;
  dispose(): void;
}

/** Show what `make` makes of the form in the notebook's place for it; returns how to end that. */
export function asked<Form, Told>(
  { model, el, signal }: Given,
  make: (form: Form, ask: (answer: unknown) => void) => Shown<Told>,
): () => void {
  const shown = make(model.get("asked") as Form, (answer) => wire.ask(answer));
  const show = (): void => shown.show(model.get("told") as Told);
  const listeners: [string, Listener][] = [
    [
      "change:told",
      () => {
        wire.heard();
        show();
      },
    ],
    [
      "msg:custom",
      (message: { kind?: unknown; text?: unknown }) => {
        if (message.kind === "told") {
          wire.heard();
          shown.say(String(message.text ?? ""));
        }
      },
    ],
  ];
  const wire = new Wire(model, listeners, () => shown.busy());
  el.append(shown.element);
  show();

  const dispose = (): void => {
    signal?.removeEventListener("abort", dispose);
    wire.close();
    shown.dispose();
  };
  signal?.addEventListener("abort", dispose); // older hosts give no signal, and call what is returned
  return dispose;
}
