"use strict";
(() => {
  const TURN = [0.3, -0.42]; // how a cell stands at first: c up, a towards the reader and to the left
  const NS = "fifth-view";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const states = new Map();
  const views = [];

  // Matrices are three rows; a state holds the rows of the turned axes.
  const times = (m, n) => m.map((r) => [0, 1, 2].map((j) => r[0] * n[0][j] + r[1] * n[1][j] + r[2] * n[2][j]));
  const about = (axis, angle) => {
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    return axis === 0 ? [[1, 0, 0], [0, c, -s], [0, s, c]]
      : axis === 1 ? [[c, 0, s], [0, 1, 0], [-s, 0, c]] : [[c, -s, 0], [s, c, 0], [0, 0, 1]];
  };
  const apply = (m, v) => m.map((r) => r[0] * v[0] + r[1] * v[1] + r[2] * v[2]);
  const minus = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
  const plus = (a, b, f = 1) => [a[0] + f * b[0], a[1] + f * b[1], a[2] + f * b[2]];
  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  const length = (v) => Math.sqrt(dot(v, v)) || 1e-9;
  const unit = (v) => v.map((x) => x / length(v));
  const mix = (a, b, f) => a.map((x, i) => x + (b[i] - x) * f);
  const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) || 0);
  const css = (c, alpha = 1) => `rgba(${c.map(Math.round).join(",")},${alpha})`;

  // Screen axes: x to the right, y up, z towards the reader.
  const standing = () => times(about(0, TURN[0]), times(about(1, TURN[1]), [[0, 1, 0], [0, 0, 1], [1, 0, 0]]));
  const along = (cell, axis) => {
    const z = unit(cell[axis]);
    const up = cell[axis === 2 ? 1 : 2];
    const y = unit(plus(up, z, -dot(up, z)));
    return [cross(y, z), y, z];
  };

  const balls = new Map();
  const ball = (colour, fog, back) => {
    const key = `${colour}|${fog}|${back}`;
    if (!balls.has(key)) {
      const size = 128;
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = size;
      const pen = canvas.getContext("2d");
      const base = rgb(colour);
      const shade = (c) => css(mix(c, back, fog));
      const fill = pen.createRadialGradient(size * 0.37, size * 0.33, size * 0.03, size / 2, size / 2, size * 0.49);
      fill.addColorStop(0, shade(mix(base, [255, 255, 255], 0.75)));
      fill.addColorStop(0.28, shade(mix(base, [255, 255, 255], 0.18)));
      fill.addColorStop(0.72, shade(mix(base, [0, 0, 0], 0.12)));
      fill.addColorStop(1, shade(mix(base, [0, 0, 0], 0.5)));
      pen.fillStyle = fill;
      pen.beginPath();
      pen.arc(size / 2, size / 2, size * 0.485, 0, 2 * Math.PI);
      pen.fill();
      balls.set(key, canvas);
    }
    return balls.get(key);
  };

  class View {
    constructor(figure, scene) {
      this.figure = figure;
      this.scene = scene;
      this.canvas = document.createElement("canvas");
      this.canvas.tabIndex = 0;
      this.canvas.setAttribute("role", "img");
      this.canvas.setAttribute("aria-label", `${figure.dataset.name}. Arrow keys turn it, plus and minus zoom.`);
      this.said = figure.querySelector("output");
      this.chosen = [];
      this.hover = -1;
      this.zoom = 1;
      this.on = { labels: false, images: true, polyhedra: scene.faces.length > 0 && scene.atoms.length < 90 };
      const group = figure.dataset.group || `${NS}${views.length}`;
      if (!states.has(group)) states.set(group, { turn: standing(), views: [] });
      this.state = states.get(group);
      this.state.views.push(this);
      const total = scene.cell.reduce((a, v) => plus(a, v), [0, 0, 0]);
      this.middle = total.map((x) => x / 2);
      this.reach = Math.max(...this.shown().map((i) => length(minus(scene.atoms[i], this.middle)) + scene.kinds[scene.atoms[i][3]][2]),
        ...this.corners().map((c) => length(minus(c, this.middle))));
      const poster = figure.querySelector(".poster");
      poster.replaceChildren(this.canvas);
      this.listen();
      this.buttons();
    }

    corners() {
      const [a, b, c] = this.scene.cell;
      return [0, 1].flatMap((x) => [0, 1].flatMap((y) => [0, 1].map((z) => plus(plus(a.map((v) => v * x), b, y), c, z))));
    }

    shown() {
      const level = this.on.images ? (this.on.polyhedra ? 2 : 1) : 0;
      return this.scene.atoms.map((_, i) => i).filter((i) => this.scene.atoms[i][5] <= level);
    }

    turn(x, y, z = 0) {
      this.state.turn = times(about(2, z), times(about(0, x), times(about(1, y), this.state.turn)));
      this.refresh();
    }

    refresh() {
      for (const view of this.state.views) view.ask();
    }

    ask() {
      if (this.visible && !this.asked) {
        this.asked = true;
        requestAnimationFrame(() => { this.asked = false; if (this.visible) this.draw(); });
      }
    }

    point(at) {
      const [x, y, z] = apply(this.state.turn, minus(at, this.middle));
      return [this.width / 2 + this.scale * x, this.height / 2 - this.scale * y, z];
    }

    fog(z) {
      return Math.round(10 * Math.min(0.6, Math.max(0, 0.28 - 0.42 * z / this.reach))) / 10;
    }

    draw() {
      const { scene, canvas } = this;
      const ratio = Math.min(devicePixelRatio || 1, 2);
      this.width = canvas.clientWidth;
      this.height = canvas.clientHeight;
      if (canvas.width !== Math.round(this.width * ratio)) canvas.width = Math.round(this.width * ratio);
      if (canvas.height !== Math.round(this.height * ratio)) canvas.height = Math.round(this.height * ratio);
      const look = getComputedStyle(document.documentElement);
      const colour = (name) => rgb(look.getPropertyValue(name).trim());
      this.back = colour("--paper");
      this.ink = colour("--ink");
      this.muted = colour("--muted");
      this.scale = this.zoom * 0.51 * Math.min(this.width, this.height) / this.reach;
      const pen = this.pen = canvas.getContext("2d");
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.clearRect(0, 0, this.width, this.height);
      this.shownNow = this.shown();
      this.places = scene.atoms.map((atom) => this.point(atom));
      const parts = [...this.edges(), ...this.sticks(), ...this.triangles(), ...this.spheres()];
      parts.sort((a, b) => a[0] - b[0]);
      for (const part of parts) part[1]();
      this.letters();
      this.marks();
    }

    edges() {
      const [a, b, c] = this.scene.cell;
      const axes = dark.matches ? ["#ff7b72", "#5fd38d", "#79b8ff"] : ["#c62828", "#1b7f3b", "#1f5fc4"];
      const found = [];
      const sides = [[a, b, c], [b, a, c], [c, a, b]];
      sides.forEach(([side, one, two], axis) => {
        for (const [p, q] of [[0, 0], [1, 0], [0, 1], [1, 1]]) {
          const start = plus(one.map((v) => v * p), two, q);
          const steps = 10;
          for (let i = 0; i < steps; i++) {
            const [from, to] = [this.point(plus(start, side, i / steps)), this.point(plus(start, side, (i + 1) / steps))];
            const depth = (from[2] + to[2]) / 2;
            const main = p === 0 && q === 0;
            const ink = main ? rgb(axes[axis]) : this.muted;
            found.push([depth, () => this.line(from, to, css(mix(ink, this.back, this.fog(depth))), main ? 2 : 1.1)]);
          }
        }
      });
      return found;
    }

    line(from, to, style, width) {
      const { pen } = this;
      pen.strokeStyle = style;
      pen.lineWidth = width;
      pen.lineCap = "round";
      pen.beginPath();
      pen.moveTo(from[0], from[1]);
      pen.lineTo(to[0], to[1]);
      pen.stroke();
    }

    sticks() {
      const { scene } = this;
      const here = new Set(this.shownNow);
      const found = [];
      const width = Math.max(1.5, 0.2 * this.scale);
      for (const [i, j] of scene.bonds) {
        if (!here.has(i) || !here.has(j)) continue;
        const half = mix(scene.atoms[i].slice(0, 3), scene.atoms[j].slice(0, 3), 0.5);
        for (const k of [i, j]) {
          const kind = scene.kinds[scene.atoms[k][3]];
          const way = unit(minus(half, scene.atoms[k]));
          const from = this.point(plus(scene.atoms[k], way, 0.92 * kind[2]));
          const to = this.point(half);
          const depth = (from[2] + to[2]) / 2;
          const fog = this.fog(depth);
          found.push([depth, () => {
            const base = rgb(kind[1]);
            const tone = (c) => css(mix(c, this.back, fog));
            this.line(from, to, tone(mix(base, [0, 0, 0], 0.45)), width);
            this.line(from, to, tone(base), width * 0.7);
            this.line(from, to, tone(mix(base, [255, 255, 255], 0.45)), width * 0.25);
          }]);
        }
      }
      return found;
    }

    triangles() {
      if (!this.on.polyhedra) return [];
      const here = new Set(this.shownNow);
      const light = unit([-0.35, 0.5, 0.8]);
      return this.scene.faces.filter((face) => face.every((i) => here.has(i))).map(([i, j, k, centre]) => {
        const [p, q, r] = [this.places[i], this.places[j], this.places[k]];
        const [a, b, c] = [i, j, k].map((n) => apply(this.state.turn, this.scene.atoms[n]));
        const facing = Math.abs(dot(unit(cross(minus(b, a), minus(c, a))), light));
        const depth = (p[2] + q[2] + r[2]) / 3;
        const base = rgb(this.scene.kinds[this.scene.atoms[centre][3]][1]);
        return [depth, () => {
          const { pen } = this;
          const tone = mix(mix(base, [0, 0, 0], 0.3 * (1 - facing)), this.back, this.fog(depth));
          pen.fillStyle = css(tone, 0.34);
          pen.strokeStyle = css(mix(tone, this.ink, 0.25), 0.55);
          pen.lineWidth = 0.8;
          pen.beginPath();
          pen.moveTo(p[0], p[1]);
          pen.lineTo(q[0], q[1]);
          pen.lineTo(r[0], r[1]);
          pen.closePath();
          pen.fill();
          pen.stroke();
        }];
      });
    }

    spheres() {
      return this.shownNow.map((i) => {
        const [x, y, z] = this.places[i];
        const [, colour, radius] = this.scene.kinds[this.scene.atoms[i][3]];
        const size = radius * this.scale / 0.97;
        return [z + 0.02, () => {
          this.pen.drawImage(ball(colour, this.fog(z), this.back), x - size, y - size, 2 * size, 2 * size);
        }];
      });
    }

    letters() {
      const { pen } = this;
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      const family = getComputedStyle(document.body).fontFamily;
      const write = (text, at, size, style) => {
        pen.font = `${size}px ${family}`;
        pen.lineWidth = 3;
        pen.lineJoin = "round";
        pen.strokeStyle = css(this.back, 0.85);
        pen.strokeText(text, at[0], at[1]);
        pen.fillStyle = style;
        pen.fillText(text, at[0], at[1]);
      };
      this.scene.cell.forEach((side, axis) => {
        const end = plus(side, unit(side), 0.09 * this.reach);
        write("abc"[axis], this.point(end), 14, css(this.ink));
      });
      if (!this.on.labels) return;
      for (const i of [...this.shownNow].sort((a, b) => this.places[a][2] - this.places[b][2])) {
        write(this.label(i), this.places[i], 11, css(this.ink));
      }
    }

    label(i) {
      const [, , , kind, site] = this.scene.atoms[i];
      return `${this.scene.kinds[kind][0]}${site + 1}`;
    }

    marks() {
      const { pen } = this;
      this.chosen.forEach((i, n) => {
        const [x, y] = this.places[i];
        pen.strokeStyle = css(this.ink);
        pen.lineWidth = 2;
        pen.beginPath();
        pen.arc(x, y, this.scene.kinds[this.scene.atoms[i][3]][2] * this.scale + 3, 0, 2 * Math.PI);
        pen.stroke();
        if (n) {
          pen.setLineDash([4, 3]);
          this.line(this.places[this.chosen[n - 1]], [x, y], css(this.ink), 1.5);
          pen.setLineDash([]);
        }
      });
    }

    under(event) {
      const box = this.canvas.getBoundingClientRect();
      const [x, y] = [event.clientX - box.left, event.clientY - box.top];
      let best = -1;
      for (const i of this.shownNow || []) {
        const [px, py, pz] = this.places[i];
        const radius = this.scene.kinds[this.scene.atoms[i][3]][2] * this.scale;
        if (Math.hypot(px - x, py - y) <= radius && (best < 0 || pz > this.places[best][2])) best = i;
      }
      return best;
    }

    describe(i) {
      const at = this.scene.atoms[i];
      const [a, b, c] = this.scene.cell;
      const volume = dot(a, cross(b, c)) || 1e-9;
      const share = [dot(at, cross(b, c)), dot(at, cross(c, a)), dot(at, cross(a, b))];
      return `${this.label(i)} (${share.map((s) => (s / volume).toFixed(3)).join(", ")})`;
    }

    measure() {
      const points = this.chosen.map((i) => this.scene.atoms[i]);
      const names = this.chosen.map((i) => this.label(i)).join("–");
      if (points.length === 2) return `${names}: ${length(minus(points[0], points[1])).toFixed(3)} Å`;
      const [u, v] = [unit(minus(points[0], points[1])), unit(minus(points[2], points[1]))];
      const angle = Math.acos(Math.min(1, Math.max(-1, dot(u, v)))) * 180 / Math.PI;
      return `${names}: ${angle.toFixed(1)}°`;
    }

    say() {
      const text = this.chosen.length > 1 ? this.measure()
        : this.hover >= 0 ? this.describe(this.hover)
          : this.chosen.length ? `${this.describe(this.chosen[0])}: choose a second atom` : "";
      if (this.said.textContent !== text) this.said.textContent = text;
    }

    choose(i) {
      if (i < 0 || this.chosen.length === 3) this.chosen = [];
      if (i >= 0) this.chosen = this.chosen.includes(i) ? this.chosen.filter((j) => j !== i) : [...this.chosen, i];
      this.say();
      this.ask();
    }

    closer(factor) {
      this.zoom = Math.min(8, Math.max(0.3, this.zoom * factor));
      this.ask();
    }

    reset() {
      this.state.turn = standing();
      this.zoom = 1;
      this.chosen = [];
      this.say();
      this.refresh();
    }

    listen() {
      const { canvas } = this;
      let last = null;
      let moved = 0;
      canvas.addEventListener("pointerdown", (event) => {
        last = [event.clientX, event.clientY];
        moved = 0;
        canvas.setPointerCapture(event.pointerId);
      });
      canvas.addEventListener("pointermove", (event) => {
        if (last === null) {
          const i = this.under(event);
          if (i !== this.hover) { this.hover = i; this.say(); }
          return;
        }
        const [x, y] = [event.clientX - last[0], event.clientY - last[1]];
        moved += Math.abs(x) + Math.abs(y);
        last = [event.clientX, event.clientY];
        this.turn(y * 0.01, x * 0.01, event.shiftKey ? -x * 0.01 : 0);
      });
      canvas.addEventListener("pointerup", (event) => {
        if (last !== null && moved < 4) this.choose(this.under(event));
        last = null;
      });
      canvas.addEventListener("pointercancel", () => { last = null; });
      canvas.addEventListener("pointerleave", () => { this.hover = -1; this.say(); });
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
    }

    buttons() {
      const bar = this.figure.querySelector(".tools");
      const add = (text, title, act, pressed) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = text;
        button.title = title;
        if (pressed !== undefined) button.ariaPressed = String(pressed);
        button.addEventListener("click", () => act(button));
        bar.append(button);
      };
      const flip = (name) => (button) => {
        this.on[name] = !this.on[name];
        button.ariaPressed = String(this.on[name]);
        this.chosen = [];
        this.ask();
      };
      ["a", "b", "c"].forEach((name, axis) => add(name, `Look along ${name}`, () => {
        this.state.turn = along(this.scene.cell, axis);
        this.refresh();
      }));
      add("Labels", "Name every site", flip("labels"), this.on.labels);
      add("Border", "Repeat atoms on the border of the cell", flip("images"), this.on.images);
      if (this.scene.faces.length) add("Polyhedra", "Show coordination polyhedra", flip("polyhedra"), this.on.polyhedra);
      add("Reset", "Back to the first view", () => this.reset());
      if (document.fullscreenEnabled) {
        add("Full screen", "Show it large", () => {
          if (document.fullscreenElement) document.exitFullscreen();
          else this.figure.requestFullscreen().catch(() => {});
        });
      }
      bar.hidden = false;
    }
  }

  const watch = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      const view = views.find((one) => one.figure === target);
      view.visible = isIntersecting;
      if (isIntersecting) view.ask();
      else view.canvas.width = 0; // hand the memory back
    }
  }, { rootMargin: "200px" });
  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) views.find((one) => one.figure === target).ask();
  });

  for (const block of document.querySelectorAll("script[type='application/json'][id^='scenes-']")) {
    const scenes = JSON.parse(block.textContent);
    document.querySelectorAll(`figure[data-scenes="${block.id}"]`).forEach((figure) => {
      const scene = scenes[Number(figure.dataset.index)];
      if (!scene) return;
      const view = new View(figure, scene);
      views.push(view);
      watch.observe(figure);
      resized.observe(figure);
    });
  }
  const all = () => { for (const view of views) view.ask(); };
  dark.addEventListener("change", all);
  addEventListener("beforeprint", () => { for (const view of views) { view.visible = true; view.draw(); } });
})();
