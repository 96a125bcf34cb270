// The form with a script: pictures chosen, dropped, pasted or taken go up side by side, each with its own progress.
// They are kept in this page only, so that one can be judged again for another disease.

import { enliven } from "./result.js";
import { LostError, send } from "./upload.js";

const AT_ONCE = 2;

const form = document.getElementById("judge");
const results = document.getElementById("results");
const template = document.getElementById("item");
const said = document.getElementById("said");
const drop = document.getElementById("drop");
const inputs = [document.getElementById("files"), document.getElementById("camera")];

const waiting = [];
let running = 0;

function add(files) {
  const disease = form.elements.disease.value;
  for (const file of files) {
    const item = template.content.firstElementChild.cloneNode(true);
    item.querySelector(".name").textContent = file.name || form.dataset.pasted;
    results.append(item);
    queue(item, file, disease);
  }
}

function queue(item, file, disease) {
  item.querySelector(".answer").replaceChildren();
  item.querySelector(".state").hidden = false;
  state(item, form.dataset.waiting, 0);
  waiting.push({ item, file, disease });
  next();
}

function next() {
  while (running < AT_ONCE && waiting.length) {
    running += 1;
    judge(waiting.shift()).finally(() => {
      running -= 1;
      next();
    });
  }
}

async function judge({ item, file, disease }) {
  if (file.size > Number(form.dataset.maxBytes)) {
    complain(item, form.dataset.tooLarge);
    return;
  }
  const body = new FormData();
  body.append("disease", disease);
  body.append("picture", file, "picture");
  try {
    const html = await send("/judge?part=1", body, {
      onProgress: (share) => state(item, share < 1 ? form.dataset.sending : form.dataset.judging, share < 1 ? share : null),
      onBusy: () => state(item, form.dataset.busy, null),
    });
    show(item, html, file);
  } catch (error) {
    if (!(error instanceof LostError)) throw error;
    complain(item, form.dataset.lost);
  }
}

function show(item, html, file) {
  const answer = item.querySelector(".answer");
  const result = new DOMParser().parseFromString(html, "text/html").querySelector(".result");
  if (!result) throw new LostError();
  answer.replaceChildren(result);
  item.querySelector(".state").hidden = true;
  enliven(item);
  for (const choice of answer.querySelectorAll(".choice")) {
    choice.addEventListener("click", (event) => {
      event.preventDefault();
      queue(item, file, choice.dataset.disease);
      item.querySelector(".answer").focus();
    });
  }
  say(`${item.querySelector(".name").textContent}: ${result.querySelector("h3").textContent}, ${result.dataset.answer}`);
}

function complain(item, text) {
  const paragraph = document.createElement("p");
  paragraph.className = "warning";
  paragraph.textContent = text;
  item.querySelector(".answer").replaceChildren(paragraph);
  item.querySelector(".state").hidden = true;
  say(`${item.querySelector(".name").textContent}: ${text}`);
}

// A null share means: nobody knows how long, and the bar shows that too.
function state(item, text, share) {
  item.querySelector(".state-text").textContent = text;
  const progress = item.querySelector("progress");
  if (share === null) progress.removeAttribute("value");
  else progress.value = share;
}

function say(text) {
  said.textContent = text;
}

function chosen() {
  return inputs.flatMap((input) => [...input.files]);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const files = chosen();
  if (!files.length) {
    inputs[0].focus();
    inputs[0].setCustomValidity("");
    inputs[0].required = true;
    inputs[0].reportValidity();
    inputs[0].required = false;
    return;
  }
  add(files);
  for (const input of inputs) input.value = "";
  results.scrollIntoView({ block: "start" });
});

// The camera gives one picture: there is nothing left to choose.
inputs[1].addEventListener("change", () => form.requestSubmit());

for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  add(event.dataTransfer.files);
});
document.addEventListener("paste", (event) => {
  const files = event.clipboardData ? [...event.clipboardData.files] : [];
  if (files.length) add(files);
});

for (const element of document.querySelectorAll("form .script-only")) element.hidden = false;
for (const item of document.querySelectorAll("#main .item")) enliven(item);
