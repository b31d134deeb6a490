// Material wraps the copy button of each code block in a <nav>: a page with ten blocks then has ten landmarks of one
// name, and none of them leads anywhere (axe: landmark-unique).
new MutationObserver(() => {
  for (const nav of document.querySelectorAll("nav.md-code__nav:not([role])")) nav.setAttribute("role", "presentation");
}).observe(document.documentElement, { childList: true, subtree: true });
