"use strict";
(() => {
  const PIECES = 5; // of the spline between two points
  const times = (m, n) => m.map((r) => [0, 1, 2].map((j) => r[0] * n[0][j] + r[1] * n[1][j] + r[2] * n[2][j]));
  const about = (axis, angle) => {
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    return axis === 0 ? [[1, 0, 0], [0, c, -s], [0, s, c]]
      : axis === 1 ? [[c, 0, s], [0, 1, 0], [-s, 0, c]] : [[c, -s, 0], [s, c, 0], [0, 0, 1]];
  };
  const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) || 0);
  const mix = (a, b, f) => a.map((x, i) => Math.round(x + (b[i] - x) * f));
  const spline = (at) => {
    const line = [];
    for (let k = 0; k + 1 < at.length; k += 1) {
      const [p0, p1, p2, p3] = [at[Math.max(k - 1, 0)], at[k], at[k + 1], at[Math.min(k + 2, at.length - 1)]];
      for (let n = 0; n < PIECES; n += 1) {
        const t = n / PIECES;
        line.push([0, 1, 2].map((i) => 0.5 * (2 * p1[i] + (p2[i] - p0[i]) * t
          + (2 * p0[i] - 5 * p1[i] + 4 * p2[i] - p3[i]) * t * t + (3 * p1[i] - p0[i] - 3 * p2[i] + p3[i]) * t * t * t)));
      }
    }
    line.push(at[at.length - 1]);
    return line;
  };

  class View {
    constructor(figure, scene) {
      this.figure = figure;
      const every = scene.curves.flatMap((curve) => curve.points);
      const middle = [0, 1, 2].map((i) => every.reduce((sum, p) => sum + p[i], 0) / every.length);
      this.curves = scene.curves.map((curve) => ({
        line: spline(curve.points.map((p) => p.map((x, i) => x - middle[i]))),
        shades: (curve.shades.length ? curve.shades : curve.points.map(() => curve.colour)).map(rgb),
        thin: curve.thin,
        shown: true,
      }));
      this.reach = Math.max(...this.curves.flatMap((curve) => curve.line.map((p) => Math.hypot(...p)))) || 1;
      this.canvas = document.createElement("canvas");
      this.canvas.tabIndex = 0;
      this.canvas.setAttribute("role", "img");
      this.canvas.setAttribute("aria-label", `${figure.dataset.name}. Arrow keys turn it, plus and minus zoom.`);
      figure.querySelector(".stage").replaceChildren(this.canvas);
      this.reset();
      this.listen();
    }

    reset() {
      this.turned = times(about(0, 0.35), about(1, -0.5));
      this.zoom = 1;
      this.ask();
    }

    turn(x, y, z = 0) {
      this.turned = times(about(2, z), times(about(0, x), times(about(1, y), this.turned)));
      this.ask();
    }

    closer(by) {
      this.zoom = Math.min(8, Math.max(0.4, this.zoom * by));
      this.ask();
    }

    ask() {
      if (this.asked) return;
      this.asked = true;
      requestAnimationFrame(() => { this.asked = false; this.draw(); });
    }

    draw() {
      const { canvas } = this;
      const ratio = Math.min(devicePixelRatio || 1, 2);
      const [wide, high] = [canvas.clientWidth, canvas.clientHeight];
      if (!wide || !high) return;
      canvas.width = Math.round(wide * ratio);
      canvas.height = Math.round(high * ratio);
      const back = rgb(getComputedStyle(document.documentElement).getPropertyValue("--paper").trim());
      const pen = canvas.getContext("2d");
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.clearRect(0, 0, wide, high);
      const scale = this.zoom * 0.47 * Math.min(wide, high) / this.reach;
      const pieces = [];
      for (const curve of this.curves.filter((one) => one.shown)) {
        const at = curve.line.map((p) => this.turned.map((r) => r[0] * p[0] + r[1] * p[1] + r[2] * p[2]));
        for (let k = 0; k + 1 < at.length; k += 1) {
          const shade = curve.shades[Math.min(Math.floor(k / PIECES + 0.5), curve.shades.length - 1)];
          pieces.push({ a: at[k], b: at[k + 1], z: (at[k][2] + at[k + 1][2]) / 2, shade, thin: curve.thin });
        }
      }
      pieces.sort((p, q) => p.z - q.z);
      for (const { a, b, z, shade, thin } of pieces) {
        const fog = Math.min(0.65, Math.max(0, 0.3 - 0.4 * z / this.reach));
        const width = (thin ? 1.6 : 5.5) * Math.sqrt(this.zoom) * (1 + 0.25 * z / this.reach);
        const stroke = (colour, w, cap = "round") => {
          pen.lineCap = cap;
          pen.strokeStyle = `rgb(${colour.join(",")})`;
          pen.lineWidth = w;
          pen.beginPath();
          pen.moveTo(wide / 2 + scale * a[0], high / 2 - scale * a[1]);
          pen.lineTo(wide / 2 + scale * b[0], high / 2 - scale * b[1]);
          pen.stroke();
        };
        if (!thin) stroke(mix(mix(shade, [0, 0, 0], 0.45), back, fog), width + 1.6, "butt"); // round ends would show as rings
        stroke(mix(shade, back, fog), width);
        if (!thin) stroke(mix(mix(shade, [255, 255, 255], 0.45), back, fog), width * 0.3);
      }
    }

    listen() {
      const { canvas } = this;
      let last = null;
      canvas.addEventListener("pointerdown", (event) => {
        last = [event.clientX, event.clientY];
        canvas.setPointerCapture(event.pointerId);
      });
      canvas.addEventListener("pointermove", (event) => {
        if (last === null) return;
        const [x, y] = [event.clientX - last[0], event.clientY - last[1]];
        last = [event.clientX, event.clientY];
        this.turn(y * 0.01, x * 0.01, event.shiftKey ? -x * 0.01 : 0);
      });
      for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { last = null; });
      canvas.addEventListener("dblclick", () => this.reset());
      canvas.addEventListener("wheel", (event) => {
        // Without a click first the wheel still scrolls the page.
        if (document.activeElement !== canvas && !event.ctrlKey) return;
        event.preventDefault();
        this.closer(Math.exp(-event.deltaY * 0.0015));
      }, { passive: false });
      const step = 0.12;
      const keys = {
        ArrowLeft: () => this.turn(0, -step), ArrowRight: () => this.turn(0, step),
        ArrowUp: () => this.turn(-step, 0), ArrowDown: () => this.turn(step, 0),
        "+": () => this.closer(1.15), "=": () => this.closer(1.15), "-": () => this.closer(1 / 1.15),
        0: () => this.reset(), Home: () => this.reset(),
      };
      canvas.addEventListener("keydown", (event) => {
        if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        keys[event.key]();
      });
      this.figure.querySelectorAll(".legend button").forEach((button) => {
        button.addEventListener("click", () => {
          const curve = this.curves[Number(button.dataset.curve)];
          curve.shown = !curve.shown;
          button.ariaPressed = String(curve.shown);
          this.ask();
        });
      });
    }
  }

  const views = new Map();
  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) views.get(target).ask();
  });
  for (const block of document.querySelectorAll("script[type='application/json'][id^='curves-']")) {
    const scenes = JSON.parse(block.textContent);
    document.querySelectorAll(`figure[data-scenes="${block.id}"]`).forEach((figure) => {
      const scene = scenes[Number(figure.dataset.index)];
      if (!scene) return;
      views.set(figure, new View(figure, scene));
      resized.observe(figure);
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const view of views.values()) view.ask();
  });
})();
