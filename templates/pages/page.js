// Comfort only: without this file the page does all the same.
for (const form of document.querySelectorAll("form[data-most-bytes]")) {
  const drop = form.querySelector(".drop");
  const input = form.querySelector("input[type=file]");
  const hint = drop.querySelector(".soft");
  const told = hint.textContent;
  const most = Number(form.dataset.mostBytes);

  const look = () => {
    const files = [...input.files];
    const total = files.reduce((sum, file) => sum + file.size, 0);
    let problem = "";
    if (total > most) problem = "文件合计" + (total / 1e6).toFixed(1) + " MB，超出上限，请压缩或分次报送";
    if (files.length > Number(form.dataset.mostFiles)) problem = "一次最多" + form.dataset.mostFiles + "个文件";
    input.setCustomValidity(problem);
    hint.textContent = problem || (files.length > 1 ? files.map((file) => file.name).join("、") : told);
  };
  input.addEventListener("change", look);

  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    const all = new DataTransfer();
    for (const file of [...input.files, ...event.dataTransfer.files]) all.items.add(file);
    input.files = all.files;
    look();
  });
}
for (const form of document.forms) {
  form.addEventListener("submit", () => {
    const button = form.querySelector("button");
    button.disabled = true;
    button.textContent = form.dataset.mostBytes ? "正在上传，请稍候…" : "请稍候…";
  });
}
// a page that comes back from the history has its buttons again
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
