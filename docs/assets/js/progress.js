// Remembers which pages were read: in this browser, under one key, and nowhere else. Without it the pages are the same,
// less the boxes to tick.
const KEY = "ml-design.read";
const { base } = JSON.parse(document.getElementById("__config").textContent);
const root = new URL(base.replace(/\/?$/, "/"), location.href); // "..", or "/" on the page of errors

/** The address of a page within the site, the same online and unzipped. */
function pageOf(href) {
  const path = new URL(href, location.href).pathname;
  return path.startsWith(root.pathname) ? path.slice(root.pathname.length).replace(/index\.html$/, "") : null;
}

let memory = {}; // where the browser stores nothing, progress lasts as long as the page

/** What was read: {page: date}. What is stored and is not that is put aside, not deleted. */
function load() {
  let text = null;
  try {
    text = localStorage.getItem(KEY);
    if (text === null) return memory;
    const read = JSON.parse(text);
    const dates = read && !Array.isArray(read) && typeof read === "object" && Object.values(read);
    if (dates && dates.every((date) => typeof date === "string")) return read;
    throw new TypeError("not a record of pages");
  } catch (error) {
    if (text !== null) store(`${KEY}.unreadable`, text) && localStorage.removeItem(KEY);
    return memory;
  }
}

/** Whether the browser kept it: it may be full, or forbid storing. */
function store(key, text) {
  try {
    localStorage.setItem(key, text);
    return true;
  } catch (error) {
    return false;
  }
}

function mark(page, done) {
  const read = { ...load() };
  if (done) read[page] = new Date().toISOString().slice(0, 10);
  else delete read[page];
  memory = read;
  store(KEY, JSON.stringify(read));
  show();
}

const boxes = []; // [checkbox, page]

function box(page, label) {
  const input = document.createElement("input");
  input.type = "checkbox";
  if (label) input.setAttribute("aria-label", label);
  input.addEventListener("change", () => mark(page, input.checked));
  boxes.push([input, page]);
  return input;
}

const plans = []; // {bar, text, items: [[page, minutes, link]]}

function addPlan(heading) {
  const items = [];
  for (let next = heading.nextElementSibling; next && next.tagName !== "H2"; next = next.nextElementSibling) {
    for (const item of next.tagName === "UL" ? next.children : []) {
      const link = item.querySelector("a");
      const page = pageOf(link.href);
      item.prepend(box(page, `Read: ${link.textContent}`));
      items.push([page, parseInt(item.querySelector(".reading")?.textContent ?? "0", 10), link]);
    }
  }
  const line = document.createElement("p");
  line.className = "progress";
  line.setAttribute("role", "status");
  const bar = document.createElement("progress");
  bar.max = items.length;
  bar.setAttribute("aria-label", `Pages read: ${heading.firstChild.textContent}`);
  const text = document.createElement("span");
  line.append(bar, text);
  heading.after(line);
  plans.push({ bar, text, items });
}

function show() {
  const read = load();
  for (const [input, page] of boxes) input.checked = page in read;
  for (const { bar, text, items } of plans) {
    const left = items.filter(([page]) => !(page in read));
    bar.value = items.length - left.length;
    const minutes = left.reduce((sum, [, own]) => sum + own, 0);
    text.textContent = `${bar.value} of ${items.length} pages read`;
    if (left.length && bar.value) {
      const next = document.createElement("a");
      next.href = left[0][2].href;
      next.textContent = left[0][2].textContent;
      text.append(`, ${minutes} min left. Next: `, next);
    }
  }
  for (const link of document.querySelectorAll(".outline a[href]")) {
    const done = (pageOf(link.href) ?? "") in read;
    link.classList.toggle("is-read", done);
    if (done) link.title = "You have read this page";
    else link.removeAttribute("title");
  }
}

for (const heading of document.querySelectorAll(".plan h2")) addPlan(heading);
const article = document.querySelector("article.md-content__inner");
if (article?.querySelector(".eyebrow .reading-time") && !document.querySelector(".plan")) {
  const label = document.createElement("label");
  label.className = "read-this";
  label.append(box(pageOf(location.href)), " I have read this page");
  article.append(label);
}
window.addEventListener("storage", (event) => event.key === KEY && show());
show();
