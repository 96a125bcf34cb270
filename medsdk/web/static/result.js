// Brings a result to life: the strength of the colours, printing one report.

export function enliven(item) {
  for (const element of item.querySelectorAll(".script-only")) element.hidden = false;
  const heat = item.querySelector(".heat");
  const slider = item.querySelector(".opacity");
  if (heat && slider) {
    const show = () => {
      heat.style.opacity = slider.value / 100;
    };
    slider.addEventListener("input", show);
    show();
  }
  item.querySelector(".print")?.addEventListener("click", () => printOnly(item));
}

function printOnly(item) {
  const details = item.querySelector("details");
  const wasOpen = details?.open;
  document.body.classList.add("print-one");
  item.classList.add("print-this");
  if (details) details.open = true;
  window.print();
  if (details) details.open = wasOpen;
  item.classList.remove("print-this");
  document.body.classList.remove("print-one");
}
