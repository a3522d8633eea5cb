// The one way in which elements are made: text is text, never markup.

type Child = Node | string | null | false;
type Attributes = Record<string, string | number | boolean | null | undefined>;

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element. An attribute that is false, null or undefined is left out; true is empty. */
export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  return fill(document.createElement(name), attributes, children);
}

/** An SVG element, likewise. */
export function s<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[Name] {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill<Kind extends Element>(
  element: Kind,
  attributes: Attributes,
  children: Child[],
): Kind {
  set(element, attributes);
  element.append(...children.filter((child) => child !== null && child !== false));
  return element;
}

/** Change attributes, touching only those that differ. */
export function set(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) {
      element.removeAttribute(name);
    } else {
      const text = value === true ? "" : String(value);
      if (element.getAttribute(name) !== text) {
        element.setAttribute(name, text);
      }
    }
  }
}

/** Change the text of an element, touching it only if it differs. */
export function write(element: Element, text: string): void {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** A button with a text on it. */
export function button(text: string, title: string, press: () => void): HTMLButtonElement {
  const made = h("button", { type: "button", title }, text);
  made.addEventListener("click", press);
  return made;
}

/**
 * A name for radio buttons that no others in the page have. Each widget of a page has a copy of
 * this script, so that a count would not do.
 */
export function groupName(): string {
  return `kimi-nb-${Math.random().toString(36).slice(2)}`;
}

/**
 * Let plain keys that are pressed in an element be its own. A notebook takes arrows, Enter and
 * letters for its cells, whatever has the focus: two d's delete one.
 */
export function ownKeys(element: HTMLElement): void {
  element.addEventListener("keydown", (event) => {
    const runs = event.key === "Enter" && event.shiftKey;
    if (!(event.ctrlKey || event.metaKey || event.altKey) && event.key !== "Escape" && !runs) {
      event.stopPropagation();
    }
  });
}
