// On paper each page names its address.
document.documentElement.style.setProperty("--address", JSON.stringify(location.href.split("#")[0]));
// Three repairs of what Material does to a page once it is loaded.
new MutationObserver(() => {
  // It wraps the copy button of each code block in a <nav>: a page with ten blocks then has ten landmarks of one name,
  // and none of them leads anywhere (axe: landmark-unique).
  for (const nav of document.querySelectorAll("nav.md-code__nav:not([role])")) nav.setAttribute("role", "presentation");
  // A table or a formula wider than a phone must scroll from the keyboard too (axe: scrollable-region-focusable).
  for (const box of document.querySelectorAll(":is(.md-typeset__scrollwrap, div.arithmatex):not([tabindex])")) {
    box.tabIndex = 0;
  }
}).observe(document.documentElement, { childList: true, subtree: true });

// It takes each alternate for the site in another language, and asks for its map: none of ours is. It looks for the exact
// word; with a space behind it, everybody else still finds the feed and the Markdown.
for (const link of document.querySelectorAll("link[rel=alternate]")) link.rel = "alternate ";
