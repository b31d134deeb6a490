// On paper each page names its address.
document.documentElement.style.setProperty("--address", JSON.stringify(location.href.split("#")[0]));
// Repairs of what Material does to a page once it is loaded.
new MutationObserver(() => {
  // It wraps the copy button of each code block in a <nav>: a page with ten blocks then has ten landmarks of one name,
  // and none of them leads anywhere (axe: landmark-unique).
  for (const nav of document.querySelectorAll("nav.md-code__nav:not([role])")) nav.setAttribute("role", "presentation");
  // Its copy buttons are named by their title, which is gone while it shows as a tooltip (axe: button-name).
  for (const button of document.querySelectorAll(".md-code__button[title]:not([aria-label])")) {
    button.setAttribute("aria-label", button.title);
  }
  // What it says of a copy, and the tooltips, which say again what is described by them, stand in no landmark (axe: region).
  for (const said of document.querySelectorAll(".md-dialog:not([aria-live])")) said.ariaLive = "polite";
  for (const tip of document.querySelectorAll("body > .md-tooltip2:not([aria-hidden])")) tip.ariaHidden = "true";
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

// The drawer of a phone, a checkbox of Material's, takes the focus, keeps it and gives it back, as a dialog does.
{
  const drawer = document.getElementById("__drawer");
  const label = document.querySelector(".md-header label[for=__drawer]");
  const button = document.createElement("button");
  const side = document.querySelector(".md-sidebar--primary");
  const narrow = matchMedia("(max-width: 76.2344em)");
  const behind = "[data-md-component=skip], .md-header, .md-tabs, .md-content, .md-sidebar--secondary, .md-top, .md-footer";
  const seen = (selector) =>
    [...side.querySelectorAll(selector)].find((each) => each.checkVisibility({ visibilityProperty: true }));
  // Without scrolling: what is focused may be about to slide in.
  const focus = (element) => element?.focus({ preventScroll: true });
  let left = false; // by a link

  Object.assign(button, { type: "button", className: `${label.className} drawer-open`, ariaLabel: "Menu", ariaExpanded: false });
  button.append(...label.childNodes);
  label.replaceWith(button);
  button.addEventListener("click", () => drawer.click());
  drawer.addEventListener("change", () => {
    for (const each of document.querySelectorAll(behind)) each.inert = drawer.checked;
    button.ariaExpanded = drawer.checked;
    if (drawer.checked) focus(seen("a.md-nav__link--active, label.md-nav__link--active") ?? seen("a"));
    else if (!left) focus(button);
    left = false;
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && drawer.checked && drawer.click());
  narrow.addEventListener("change", () => drawer.checked && drawer.click());
  // A link to a place on this page closes it, too: the focus goes on from there.
  side.addEventListener("click", ({ target }) => {
    left = drawer.checked && Boolean(target.closest("a"));
  });

  // Its sections slide over each other; the title of one leads back. Material lets Enter press a label, here Space does.
  for (const label of side.querySelectorAll(".md-nav__title:not([for=__drawer]), label[for=__toc]")) label.tabIndex = 0;
  side.addEventListener("keydown", (event) => {
    if (event.key !== " " || !event.target.matches("label")) return;
    event.preventDefault();
    event.target.click();
  });
  // The stylesheet could tell by :has, at the price of a pass over the whole page for each element that is added to it.
  function cover() {
    for (const nav of side.querySelectorAll("nav")) {
      nav.classList.toggle("covered", Boolean(nav.querySelector(":scope > ul > li > .md-nav__toggle:checked")));
    }
  }
  cover();
  side.addEventListener("change", ({ target }) => {
    cover();
    if (!narrow.matches) return;
    focus(seen(`label.${target.checked ? "md-nav__title" : "md-nav__link"}[for="${target.id}"]`));
  });
}

// The switch between light and dark is two radio buttons, and the keyboard reaches the one that is not seen: here it is a
// button over both.
{
  const palette = document.querySelector("[data-md-component=palette]");
  for (const option of palette.querySelectorAll("input")) option.hidden = true;
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "palette", ariaLabel: "Switch between light and dark" });
  button.addEventListener("click", () => palette.querySelector("label:not([hidden])").click());
  button.addEventListener("keydown", (event) => event.key === "Enter" && event.stopPropagation()); // Material takes it, too
  palette.append(button);
}
