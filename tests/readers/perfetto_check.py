#!/usr/bin/env python3
"""What `convoy show trace` writes, before Perfetto itself.

Trains a small net on two ranks, has Perfetto's page (vizviewer brings it along) open the trace in
a headless Chromium, and asks its engine what it has understood: every rank a process of its own
with both tracks, every span where the rank had recorded it, none cut or laid into another, and no
complaint. Needs requirements-perfetto.txt and a Chromium; ends with 77 where they are not there.
"""

import collections
import json
import pathlib
import shutil
import socket
import subprocess
import sys

from small_run import RUN, check_in_new_folder, make_data, quietly, train

SKIP = 77
chromium = shutil.which("chromium") or shutil.which("google-chrome")
vizviewer = pathlib.Path(sys.executable).parent / "vizviewer"
try:
    from playwright.sync_api import sync_playwright
except ImportError:
    sync_playwright = None
if not (chromium and sync_playwright and vizviewer.exists()):
    print("skipped: no chromium, or this Python lacks what tests/readers/requirements-perfetto.txt "
          "names")
    sys.exit(SKIP)

RANKS = 2
STEPS = range(4, 7)
QUERY = """async (query) => {
  const result = await window.app.trace.engine.query(query);
  const rows = [];
  for (const row = result.iter({}); row.valid(); row.next())
    rows.push(result.columns().map((name) => {
      const value = row.get(name);
      return typeof value === "bigint" ? Number(value) : value;
    }));
  return rows;
}"""


def free_port():
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return any_port.getsockname()[1]


def ask_perfetto(trace, queries):
    """The rows of each SQL query about the trace."""
    port = free_port()
    viewer = subprocess.Popen([vizviewer, "--server_only", "--port", str(port), trace],
                              stdout=subprocess.DEVNULL)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page()
            for attempt in range(50):
                try:
                    page.goto(f"http://127.0.0.1:{port}/index.html")
                    break
                except Exception:  # the viewer has not come up
                    if attempt == 49:
                        raise
                    page.wait_for_timeout(200)
            page.wait_for_function("() => window.app?.trace !== undefined", timeout=120000)
            return [page.evaluate(QUERY, query) for query in queries]
    finally:
        viewer.terminate()
        viewer.wait()


def recorded(run):
    """What the ranks wrote down: {(rank, track): {(name, step): [nanoseconds that each took]}}."""
    spans = collections.defaultdict(lambda: collections.defaultdict(list))
    for rank in range(RANKS):
        lines = (run / "trace" / f"rank-{rank}.jsonl").read_text(encoding="utf-8").splitlines()
        for span in map(json.loads, lines[1:]):
            track = {"collective": None, "host": "host"}.get(span["kind"], "steps")
            spans[rank, track][span["name"], span["step"]].append(span["end_ns"] - span["begin_ns"])
    return spans


def check(run, trace, checks):
    complaints, tracks, spans, wrong = ask_perfetto(trace, (
        "select name, value from stats where value > 0 and severity != 'info'",
        "select process.name, thread.name from thread join process using (upid)"
        " where process.name is not null",
        "select process.name, thread.name, slice.name, extract_arg(slice.arg_set_id, 'args.step'),"
        " dur from slice left join thread_track on slice.track_id = thread_track.id"
        " left join thread using (utid) left join process_track on slice.track_id = process_track.id"
        " join process on process.upid = coalesce(thread.upid, process_track.upid)",
        "select child.name, parent.name from slice child left join slice parent"
        " on child.parent_id = parent.id where child.dur < 0"
        " or (child.category in ('forward', 'backward')) != (parent.category is 'phase')"
        " or child.ts < parent.ts or child.ts + child.dur > parent.ts + parent.dur",
    ))
    checks.equal("complaints of Perfetto's", [], complaints)
    checks.equal("spans that were not closed, or lie where they do not belong", [], wrong)
    names = {process: int(process.split()[1]) for process, _ in tracks}
    checks.equal("processes", list(range(RANKS)), sorted(names.values()))
    checks.equal("tracks", sorted((rank, track) for rank in range(RANKS)
                                  for track in ("steps", "host")),
                 sorted((names[process], thread) for process, thread in tracks))
    read = collections.defaultdict(lambda: collections.defaultdict(list))
    for process, thread, name, step, nanoseconds in spans:
        read[names[process], thread][name, step].append(nanoseconds)
    expected = recorded(run)
    checks.equal("tracks that have spans", sorted(map(str, expected)), sorted(map(str, read)))
    for where, all_spans in expected.items():
        checks.equal(f"spans of rank and track {where}", sorted(all_spans), sorted(read[where]))
        for which, durations in all_spans.items():
            checks.equal(f"durations of {which} of rank and track {where}", sorted(durations),
                         sorted(read[where][which]))
    for rank in range(RANKS):
        checks.equal("steps", set(STEPS), {step for _, step in expected[rank, "steps"]})


def check_trace(convoy, folder, checks):
    make_data(convoy, folder)
    train(convoy, folder, 8, "--run.trace-from", str(STEPS.start), "--run.trace-steps",
          str(len(STEPS)))
    quietly(convoy, folder, "show", "trace", RUN, "--output", "trace.json")
    check(folder / RUN, folder / "trace.json", checks)


if __name__ == "__main__":
    sys.exit(check_in_new_folder(__doc__, check_trace))
