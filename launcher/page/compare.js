// The page of `convoy compare`.

{
  const strategies = data.strategies;
  const names = strategies.map((s) => s.strategy);
  const reference = names[0];
  const range = (spread, text = short) => `${text(spread.min)} / ${text(spread.median)} / ${text(spread.max)}`;
  const agreement = (s, i) => i === 0 ? "reference" : s.same_bits ? `the bits of ${reference}` : `within ${s.loss_difference.toExponential(1)} of ${reference}`;
  const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

  report.append(
    element("h1", {}, `Strategies compared: ${names.join(", ")}`),
    element("p", { class: "soft" },
      `${data.device}; ${plural(data.ranks, "rank")} on ${plural(data.hosts, "host")}, batch ${data.batch}, recipe ${data.recipe}, seed ${data.seed}; ` +
      `${plural(data.rounds, "round")} of ${data.warmup} + ${data.steps} steps on ${data.data === "random" ? "random pixels" : data.data}; ` +
      `nets ${data.held_at_once ? "held in memory together" : "made anew for each turn"}.`),
    element("div", { class: "verdict" }, ...data.verdict.map((text) => element("p", {}, text))),
    table("Each strategy; speed is the median over rounds", ["strategy", "ranks", "images/s", "least", "most", "ms a step", "exchanged a step", "predicted", "memory a rank", "losses"],
      strategies.map((s, i) => {
        const rate = s.images_per_second;
        return [s.strategy, s.ranks, short(rate.median), short(rate.min), short(rate.max), short(1000 * data.batch / rate.median),
          bytes(s.payload_bytes.max), bytes(s.predicted_bytes), bytes(s.memory_bytes.max), agreement(s, i)];
      })));

  const parts = [["forward", "forward"], ["backward", "backward"], ["update", "update"], ["comm_exposed", "waits for ranks"], ["data_wait", "waits for data"]];
  const partNames = parts.map((part) => part[1]);
  report.append(plot({
    title: "Where a step's time goes",
    note: "Medians over ranks of each rank's median step, in milliseconds." + (data.waits_are_apart ? "" : " On GPUs the time of exchanges is part of forward, backward and update."),
    says: strategies.map((s) => `${s.strategy}: ` + parts.map(([key, name]) => `${name} ${short(s.ms[key].median)} ms`).join(", ")).join(". "),
    names: partNames,
    figures: table("Milliseconds of a step: least / median / most over ranks", ["strategy", "step", ...partNames],
      strategies.map((s) => [s.strategy, range(s.ms.step), ...parts.map(([key]) => range(s.ms[key]))])),
    draw: stackedBars(strategies.map((s) => ({
      name: s.strategy, parts: partNames, values: parts.map(([key]) => s.ms[key].median),
      label: `${short(s.ms.step.median)} ms, ${short(s.images_per_second.median)} images/s`,
    })), "ms"),
  }));

  // The strategy with most layers has its exchanges where they belong.
  const longest = [...strategies].sort((a, b) => b.layers.length - a.layers.length);
  const computed = [...new Set(longest.flatMap((s) => s.layers.map((line) => line.layer)))];
  // As they stand in the net; the logits, which are no layer, behind all.
  const place = (layer) => computed.includes(layer) ? computed.indexOf(layer) : computed.length;
  const layers = [...new Set(strategies.flatMap((s) => s.traffic.map((line) => line.layer)))].sort((a, b) => place(a) - place(b));
  const moves = (s, layer) => s.traffic.find((line) => line.layer === layer) || { activation_bytes: 0, gradient_bytes: 0 };
  const movers = strategies.filter((s) => s.predicted_bytes > 0);
  if (movers.length > 0) {
    report.append(element("h2", {}, "What crosses ranks, layer by layer"),
      element("p", { class: "soft" }, "Bytes that a rank hands over in a step: activations on their way into a layer and their gradients on the way back, or the gradients of the layer's weights."));
    for (const s of movers) {
      const crossed = layers.filter((layer) => moves(s, layer).activation_bytes + moves(s, layer).gradient_bytes > 0);
      report.append(plot({
        title: `${s.strategy}: ${bytes(s.predicted_bytes)} a step`,
        says: crossed.map((layer) => `${layer}: ${bytes(moves(s, layer).activation_bytes)} of activations, ${bytes(moves(s, layer).gradient_bytes)} of gradients`).join(". "),
        names: ["activations", "gradients"],
        figures: table("Bytes of a step", ["layer", "activations", "gradients"],
          crossed.map((layer) => [layer, bytes(moves(s, layer).activation_bytes), bytes(moves(s, layer).gradient_bytes)])),
        draw: stackedBars(crossed.map((layer) => {
          const line = moves(s, layer);
          return { name: layer, parts: ["activations", "gradients"], values: [line.activation_bytes / 1e6, line.gradient_bytes / 1e6], label: bytes(line.activation_bytes + line.gradient_bytes) };
        }), "MB"),
      }));
    }
  }

  report.append(plot({
    title: "Losses",
    note: "The loss of every step; the same computation gives the same curve. " + strategies.slice(1).map((s, i) => `${s.strategy}: ${agreement(s, i + 1)}.`).join(" "),
    says: strategies.map((s) => `${s.strategy}: from ${short(s.losses[0])} to ${short(s.losses[s.losses.length - 1])}`).join(". "),
    names, dashed: true,
    figures: table("Loss by step", ["step", ...names], strategies[0].losses.map((_, i) => [i + 1, ...strategies.map((s) => s.losses[i])])),
    draw: lines(strategies.map((s) => ({ name: s.strategy, points: s.losses.map((loss, i) => [i + 1, loss]) })), { xLabel: "step", yLabel: "loss", overlaid: true }),
  }));

  const layerMs = (s, layer) => {
    const line = s.layers.find((l) => l.layer === layer);
    return line ? short(line.forward_ms + line.backward_ms) : "";
  };
  report.append(element("section", {}, element("h2", {}, "Time in each layer"),
    table("Milliseconds forward and backward on rank 0, in steps with a clock in every layer", ["layer", ...names],
      computed.map((layer) => [layer, ...strategies.map((s) => layerMs(s, layer))]))));

  if (data.refused.length > 0) {
    report.append(element("section", {}, element("h2", {}, "Left out"),
      ...data.refused.map((r) => element("p", {}, `${r.strategy}: ${r.why}.`))));
  }
}
