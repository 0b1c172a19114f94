"use strict";
// Each viewer shows one frame of one start day; its frames lie beside it as JSON.
for (const viewer of document.querySelectorAll(".viewer")) {
  const starts = JSON.parse(viewer.querySelector("script").textContent);
  const [select, slider, output, note, pictures] = [
    viewer.querySelector("select"),
    viewer.querySelector("input"),
    viewer.querySelector("output"),
    viewer.querySelector(".note"),
    viewer.querySelectorAll(".map img"),
  ];
  const show = () => {
    const frame = starts[select.selectedIndex].frames[Number(slider.value)];
    output.textContent = frame.label;
    note.textContent = frame.note;
    slider.setAttribute("aria-valuetext", frame.label);
    frame.pictures.forEach((picture, at) => Object.assign(pictures[at], picture));
  };
  select.addEventListener("change", show);
  slider.addEventListener("input", show);
  show();
}
