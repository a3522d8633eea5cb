// The kernel's HTML, once more made harmless, as nodes.

import DOMPurify, { type Config } from "dompurify";

const BLOCKS = ["h3", "h4", "h5", "h6", "p", "br", "ul", "ol", "li", "pre"];
const INLINE = ["code", "strong", "em"];
const TABLES = ["table", "thead", "tbody", "tr", "th", "td"];
/** What `kimi_nb.views.markdown` makes, and nothing else: no link, image, form, style or id. */
const STRICT: Config & { RETURN_DOM_FRAGMENT: true } = {
  ALLOWED_TAGS: [...BLOCKS, ...INLINE, ...TABLES],
  ALLOWED_ATTR: ["scope", "style"],
  ALLOW_ARIA_ATTR: false,
  ALLOW_DATA_ATTR: false,
  ALLOW_UNKNOWN_PROTOCOLS: false,
  RETURN_DOM_FRAGMENT: true,
};
const VALUES: Record<string, RegExp> = {
  scope: /^col$/,
  style: /^text-align:(left|right|center)$/,
};

// One of its own: hooks of others in the page would have a say in the shared one.
const purifier = DOMPurify(window);
purifier.addHook("uponSanitizeAttribute", (_node, attribute) => {
  attribute.keepAttr = VALUES[attribute.attrName]?.test(attribute.attrValue) ?? false;
});

/** The nodes of `html`; what is not of the answer's few elements is not among them. */
export function harmless(html: string): DocumentFragment {
  return purifier.sanitize(html, STRICT);
}
