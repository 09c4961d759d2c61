// The page of `convoy plan`.

{
  const lines_ = data.predictions;
  const batches = [...new Set(lines_.map((p) => p.batch))];
  const several = new Set(lines_.map((p) => `${p.strategy} ${p.ranks}`)).size > new Set(lines_.map((p) => p.strategy)).size;
  const nameOf = (p) => several ? `${p.strategy} on ${p.ranks}` : p.strategy;
  const names = [...new Set(lines_.map(nameOf))];
  const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
  const series = names.map((name) => ({ name, points: lines_.filter((p) => nameOf(p) === name).map((p) => [p.batch, p.images_per_second]) }));

  const ranks = [...new Set(data.leads.map((lead) => lead.ranks))];
  const leads = ranks.map((count) => `On ${plural(count, "rank")}: ` + data.leads.filter((lead) => lead.ranks === count)
    .map((lead, i) => i === 0 ? `${lead.strategy} is the quickest from batch ${lead.from_batch.toLocaleString("en")}` : `${lead.strategy} from batch ${lead.from_batch.toLocaleString("en")}`).join(", ") + ".");
  report.append(
    element("h1", {}, `A cluster planned: ${plural(data.nodes, "node")} of ${plural(data.ranks_per_node, "rank")}`),
    element("p", { class: "soft" }, "Nothing here was measured on the cluster: all figures follow from the model at the end of this page."),
    element("div", { class: "verdict" }, ...leads.map((text) => element("p", {}, text))));

  report.append(plot({
    title: "Speed by batch",
    note: "Images a second that the model predicts, by global batch. Where curves cross, the quickest strategy changes.",
    says: series.map((s) => `${s.name}: ` + s.points.map(([batch, rate]) => `${short(rate)} at ${batch}`).join(", ")).join(". "),
    names, dashed: true,
    figures: table("Images a second", ["batch", ...names],
      batches.map((batch) => [batch.toLocaleString("en"), ...names.map((name) => { const p = lines_.find((q) => q.batch === batch && nameOf(q) === name); return p ? short(p.images_per_second) : ""; })])),
    draw: lines(series, { xLabel: "global batch", yLabel: "images/s", logX: true, fromZero: true, dots: true }),
  }));

  const parts = [["layers_ms", "layers"], ["exchanges_ms", "exchanges"], ["gradients_ms", "gradients, not hidden"], ["rest_ms", "rest"]];
  const partNames = parts.map((part) => part[1]);
  const shown = batches[Math.floor((batches.length - 1) / 2)];
  const ofShown = lines_.filter((p) => p.batch === shown);
  report.append(plot({
    title: `Where a step's time goes at batch ${shown.toLocaleString("en")}`,
    says: ofShown.map((p) => `${nameOf(p)}: ` + parts.map(([key, name]) => `${name} ${short(p[key])} ms`).join(", ")).join(". "),
    names: partNames,
    figures: table("Milliseconds of a step, bytes of a rank", ["strategy", "batch", "step", ...partNames, "payload", "on the wire", "memory at least", "sum by"],
      lines_.map((p) => [nameOf(p), p.batch.toLocaleString("en"), short(p.step_ms), ...parts.map(([key]) => short(p[key])), bytes(p.payload_bytes), bytes(p.wire_bytes), bytes(p.memory_bytes), p.all_reduce])),
    draw: stackedBars(ofShown.map((p) => ({ name: nameOf(p), parts: partNames, values: parts.map(([key]) => p[key]), label: `${short(p.step_ms)} ms, ${short(p.images_per_second)} images/s` })), "ms"),
  }));

  const winners = [...new Set(lines_.map((p) => p.strategy))];
  const fields = data.map.quickest.map((row) => row.map((name) => Math.max(0, winners.indexOf(name))));
  const texts = data.map.quickest.map((row, r) => row.map((name, c) => `batch ${data.map.batches[c]}, ${mark(data.map.gbit[r])} Gbit/s: ${name || "none fits"}`));
  report.append(plot({
    title: "The quickest strategy by batch and link",
    note: `All ${(data.nodes * data.ranks_per_node).toLocaleString("en")} ranks; the link ${data.nodes > 1 ? "between nodes" : "inside a node"} from a sixteenth to sixteen times the described one.`,
    says: texts.map((row) => row.join("; ")).join(". "),
    names: winners,
    figures: table("The quickest strategy", ["Gbit/s", ...data.map.batches.map((batch) => `batch ${batch.toLocaleString("en")}`)],
      data.map.quickest.map((row, r) => [mark(data.map.gbit[r]), ...row])),
    draw: map(fields, texts, data.map.batches.map((batch) => batch.toLocaleString("en")), data.map.gbit.map(mark), { names: winners, xLabel: "global batch", yLabel: "Gbit/s" }),
  }));

  if (data.checked.length > 0) {
    report.append(element("section", {}, element("h2", {}, "Against measurements"),
      element("p", {}, `The median error is ${(100 * data.median_error).toFixed(1)} %.`),
      table("Milliseconds of a step", ["measured in", "batch", "strategy", "measured", "predicted", "error"],
        data.checked.map((line) => [line.file, line.batch, line.strategy, short(line.measured_ms), short(line.predicted_ms), `${(100 * line.error).toFixed(1)} %`]))));
  }
  if (data.refused.length > 0) {
    report.append(element("section", {}, element("h2", {}, "Left out"), ...data.refused.map((r) => element("p", {}, `${r.what}: ${r.why}.`))));
  }
  report.append(element("section", {}, element("h2", {}, "The model"), element("pre", {}, data.model)));
}
