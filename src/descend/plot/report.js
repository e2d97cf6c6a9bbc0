"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  // The buttons are listed, and the address emptied: by default plotly offers to upload the data.
  const config = {
    responsive: true,
    displaylogo: false,
    displayModeBar: "hover",
    showSendToCloud: false,
    plotlyServerURL: "",
    toImageButtonOptions: { format: "svg" }, // a PNG would need blob: images, which the policy forbids
    modeBarButtons: [["toImage", "zoom2d", "pan2d", "autoScale2d", "resetScale2d"]],
  };

  function themed(layout) {
    const page = getComputedStyle(document.documentElement);
    const colour = (name) => page.getPropertyValue(name).trim();
    const copy = structuredClone(layout);
    copy.font.color = colour("--ink");
    copy.hoverlabel = { bgcolor: colour("--raised"), font: { color: colour("--ink") } };
    copy.modebar = { bgcolor: "rgba(0,0,0,0)", color: colour("--quiet"), activecolor: colour("--ink") };
    return copy;
  }

  function draw() {
    for (const [id, figure] of Object.entries(figures)) {
      Plotly.react(document.getElementById(id), figure.data, themed(figure.layout), config);
    }
  }

  for (const id of Object.keys(figures)) {
    document.getElementById(id).replaceChildren();
  }
  draw();
  dark.addEventListener("change", draw);

  const command = document.getElementById("command");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    getSelection().selectAllChildren(command);
    try {
      await navigator.clipboard.writeText(command.textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Selected: press Ctrl+C";
    }
  });
  command.parentElement.after(button);
})();
