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

// A mistake is reported with the heading above what is selected, or above the middle of the window.
document.addEventListener("click", (event) => {
  const link = event.target.closest(".report a");
  if (!link) return;
  const selected = getSelection();
  const place = selected.isCollapsed
    ? innerHeight / 2
    : selected.getRangeAt(0).getBoundingClientRect().bottom;
  const headings = [...document.querySelectorAll("article :is(h1, h2, h3)[id]")];
  const above = headings.findLast((heading) => heading.getBoundingClientRect().top < place);
  const address = new URL(link.href);
  const page = address.searchParams.get("page").split(", ")[0];
  const title = above?.firstChild?.textContent.trim();
  address.searchParams.set("page", title ? `${page}, "${title}"` : page);
  link.href = address;
});

// A link to a claim opens its runs.
const showRuns = () => document.querySelector(".claim:target > details")?.setAttribute("open", "");
window.addEventListener("hashchange", showRuns);
showRuns();

// An output is copied as it was printed, also where a phone shows its cells apart.
document.addEventListener("copy", (event) => {
  const selected = getSelection();
  if (selected.isCollapsed) return;
  const range = selected.getRangeAt(0);
  const within = range.commonAncestorContainer;
  if (!(within.closest ? within : within.parentElement).closest(".language-text code")) return;
  event.clipboardData.setData("text/plain", range.toString());
  event.preventDefault();
});
