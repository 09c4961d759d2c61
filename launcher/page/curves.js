// The page of `convoy show curves`.

{
  const runs = data.runs;
  const state = { x: "step", smoothing: 0.6, log: false };
  const at = (run, index) => state.x === "minutes" ? run.minutes[index] : state.x === "images" ? run.step[index] * run.batch : run.step[index];
  const xLabels = { step: "step", images: "images", minutes: "minutes in training steps" };

  // Evaluations stand between lines of training: where they are by time follows from those.
  const atStep = (run, step) => {
    if (state.x !== "minutes") return state.x === "images" ? step * run.batch : step;
    const next = run.step.findIndex((s) => s >= step);
    return run.minutes[next < 0 ? run.minutes.length - 1 : next];
  };

  // A mean that forgets, started without bias; what is not finite is a gap.
  const smoothed = (values) => {
    let sum = 0;
    let weight = 0;
    return values.map((value) => {
      if (value === null) return null;
      sum = state.smoothing * sum + (1 - state.smoothing) * value;
      weight = state.smoothing * weight + (1 - state.smoothing);
      return sum / weight;
    });
  };

  const training = (run, values) => values.map((value, i) => [at(run, i), value]);
  const validation = (run, values) => run.eval.step.map((step, i) => [atStep(run, step), values[i]]);
  const errors = (values) => values.map((value) => value === null ? null : 1 - value);
  const last = (values) => values.length > 0 && values[values.length - 1] !== null ? short(values[values.length - 1]) : "-";
  const best = (values) => values.length > 0 ? `${(100 * Math.max(...values)).toFixed(2)} %` : "-";
  const middle = (values) => {
    const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
    return sorted.length > 0 ? sorted[Math.floor(sorted.length / 2)] : 0;
  };

  const choice = element("select", { id: "x" }, ...[["step", "steps"], ["images", "images seen"], ["minutes", "minutes in training steps"]]
    .map(([value, text]) => element("option", { value }, text)));
  const slider = element("input", { type: "range", id: "smoothing", min: 0, max: 0.99, step: 0.01, value: state.smoothing });
  const box = element("input", { type: "checkbox", id: "log" });
  const shown = element("output", { for: "smoothing" }, state.smoothing.toFixed(2));
  choice.addEventListener("change", () => { state.x = choice.value; redrawAll(); });
  slider.addEventListener("input", () => { state.smoothing = Number(slider.value); shown.textContent = state.smoothing.toFixed(2); redrawAll(); });
  box.addEventListener("change", () => { state.log = box.checked; redrawAll(); });

  report.append(
    element("h1", {}, runs.length === 1 ? `Training curves of ${runs[0].name}` : `Training curves of ${runs.length} runs`),
    table("Each run", ["run", "recipe", "strategy", "batch", "steps", "last loss", "last validation loss", "best top-1", "best top-5", "images/s"],
      runs.map((run) => [run.name, run.recipe, run.strategy, run.batch, run.step[run.step.length - 1].toLocaleString("en"), last(run.loss),
        last(run.eval.loss), best(run.eval.top1), best(run.eval.top5), short(middle(run.rate))])),
    element("form", { class: "controls" },
      element("label", {}, "along ", choice), element("label", {}, "smoothing ", slider, shown), element("label", {}, box, " logarithmic losses and errors")));

  const several = (kinds) => runs.flatMap((run, i) => kinds.map((kind, k) => ({ name: runs.length === 1 ? kind : `${run.name}, ${kind}`, colour: colour(i), dash: DASHES[k] })));
  const curves = ({ title, note, kinds, yLabel, logY, raw, of }) => report.append(plot({
    title, note,
    says: runs.map((run) => `${run.name}: ` + of(run).map((curve, k) => `${kinds[k]} ends at ${last(curve.values)}`).join(", ")).join(". "),
    names: several(kinds), dashed: true,
    draw: (width) => lines(runs.flatMap((run, i) => of(run).flatMap((curve, k) => {
      const name = `${run.name}, ${kinds[k]}`;
      if (curve.eval) return [{ name, points: validation(run, curve.values), colour: colour(i), dash: DASHES[k], dots: true }];
      const smooth = { name, points: training(run, raw ? curve.values : smoothed(curve.values)), colour: colour(i), dash: DASHES[k] };
      return raw || state.smoothing === 0 ? [smooth] : [{ name, points: training(run, curve.values), colour: colour(i), faint: true }, smooth];
    })), { xLabel: xLabels[state.x], yLabel, logY: logY && state.log, anyX: true, fromZero: !logY })(width),
  }));

  const pair = (key, change) => (run) => [{ values: change(run[key]) }, ...(run.eval.step.length > 0 ? [{ values: change(run.eval[key]), eval: true }] : [])];
  const evaluated = runs.some((run) => run.eval.step.length > 0);
  const kinds = ["training", ...(evaluated ? ["validation"] : [])];
  const note = "Of single training batches, pale, and their moving mean; training batches are augmented and meet dropout, validation images are whole sets without either.";
  curves({ title: "Loss", note, kinds, yLabel: "loss", logY: true, of: pair("loss", (v) => v) });
  curves({ title: "Top-1 error", kinds, yLabel: "error rate", logY: true, of: pair("top1", errors) });
  curves({ title: "Top-5 error", kinds, yLabel: "error rate", logY: true, of: pair("top5", errors) });
  curves({ title: "Learning rate", kinds: ["learning rate"], yLabel: "learning rate", raw: true, logY: true, of: (run) => [{ values: run.lr }] });
  curves({ title: "Speed", note: "Without evaluations and checkpoints.", kinds: ["images a second"], yLabel: "images/s", of: (run) => [{ values: run.rate }] });

  const parts = [["forward", "forward"], ["backward", "backward"], ["update", "update"], ["comm_exposed", "waits for ranks"], ["data_wait", "waits for data"]];
  const names = parts.map((part) => part[1]);
  report.append(plot({
    title: "Where a step's time goes",
    note: "Medians over the logged lines, in milliseconds; each part is that of the slowest rank.",
    says: runs.map((run) => `${run.name}: ` + parts.map(([key, name]) => `${name} ${short(middle(run.ms[key]))} ms`).join(", ")).join(". "),
    names,
    figures: table("Milliseconds of a step", ["run", "step", ...names], runs.map((run) => [run.name, short(middle(run.ms.step)), ...parts.map(([key]) => short(middle(run.ms[key])))])),
    draw: stackedBars(runs.map((run) => ({ name: run.name, parts: names, values: parts.map(([key]) => middle(run.ms[key])), label: `${short(middle(run.ms.step))} ms a step, ${short(middle(run.rate))} images/s` })), "ms"),
  }));
}
