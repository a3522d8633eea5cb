// A file beside the log that came with a tool's result: an image, first a small one, or a long text.

import type { Kept, Store } from "../host.ts";
import type { Host } from "../pure/host.ts";
import { button, h, write } from "./dom.ts";
import { Fold } from "./fold.ts";
import type { Sight } from "./sight.ts";

const IMAGE = /\.(png|jpe?g|gif|webp)$/;

export class FileView {
  readonly element = h("div", { class: "knw-file" });
  readonly #name: string;
  readonly #from: string;
  readonly #ask: HTMLButtonElement;
  /** The small image; a press shows the whole one. */
  readonly #whole: HTMLButtonElement;
  readonly #why = h("p", { class: "knw-quiet" });
  #kept: Kept | undefined;
  #asked = false;

  /** `from` is the tool that gave it. An image is asked for when it comes into sight. */
  constructor(host: Host, sight: Sight, name: string, from: string) {
    this.#name = name;
    this.#from = from;
    const image = IMAGE.test(name);
    const what = image ? "Show the image" : "Show the whole file";
    this.#ask = button(what, `The file ${name} beside the log`, () => this.#fetch(host, image));
    this.#whole = button("", "Show it in full", () => this.#fetch(host, false));
    this.element.append(this.#ask, this.#why);
    if (image) {
      sight.wait(this.element, () => this.#fetch(host, true));
    }
  }

  update({ files, silent }: Store): void {
    const kept = files.get(this.#name);
    if (kept !== undefined && kept !== this.#kept) {
      this.#kept = kept;
      this.#show(kept);
    } else if (silent && (kept === undefined || this.#asked)) {
      this.#ask.disabled = false;
      write(this.#why, `no kernel answers; the file ${this.#name} lies beside the log`);
    } else if (this.#asked) {
      write(this.#why, "loading…"); // not when it is asked: somebody may be about to press
    }
  }

  #fetch(host: Host, small: boolean): void {
    this.#ask.disabled = true;
    this.#asked = true;
    host.ask({ kind: "artefact", name: this.#name, ...(small ? { small } : {}) });
  }

  #show({ url, text, why, small }: Kept): void {
    this.#asked = false;
    if (why !== "") {
      this.#ask.disabled = false;
      write(this.#why, why);
    } else if (url === "") {
      const fold = new Fold("code", `file ${this.#name}`);
      fold.update(text);
      this.element.replaceChildren(fold.element);
    } else {
      const alt = `image that ${this.#from} returned`;
      const image = h("img", { src: url, alt, decoding: "async" });
      this.#whole.replaceChildren(image);
      write(this.#why, "");
      this.element.replaceChildren(...(small ? [this.#whole, this.#why] : [image]));
    }
  }
}
