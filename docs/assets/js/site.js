// Two repairs of what Material adds to a page once it is loaded.
new MutationObserver(() => {
  // It wraps the copy button of each code block in a <nav>: a page with ten blocks then has ten landmarks of one name,
  // and none of them leads anywhere (axe: landmark-unique).
  for (const nav of document.querySelectorAll("nav.md-code__nav:not([role])")) nav.setAttribute("role", "presentation");
  // A table wider than a phone must scroll from the keyboard too (axe: scrollable-region-focusable).
  for (const box of document.querySelectorAll(".md-typeset__scrollwrap:not([tabindex])")) box.tabIndex = 0;
}).observe(document.documentElement, { childList: true, subtree: true });
