"""The timing loop, which turns one peer in one configuration into a row.

A peer is a class with
    name, package, kernels  the row's engine, the package to look for, and the row's kernel for each operation it has
    largest                 the largest order it takes
    pivots                  whether it exchanges rows; if not, it gets matrices that need no exchanges
    load()                  -> the program and its version; raises `schema.Missing`
    job(inputs, threads)    -> a job over a list of `stacks.Input` with equal shapes
and a job has
    fresh(i)                -> the answer for inputs[i] in new host memory: inverses, solutions, or the signs and the
                            logarithms of determinants
    into(i, output)         the same into host memory of the caller, or None if the peer has no such call
    work(i)                 -> seconds for the work alone in the peer's own layout on the CPU, or None
    device()                -> a queued answer for inputs[0], which is resident on the GPU, or None
    before()                restores the input that device() overwrites, outside the clock, or None
    fetch(answer)           -> device()'s answer in host memory
    warm                    whether making the job has called the routine already
    note, close()
"""

import statistics
import sys
import time

import schema

# The memory that the calls rotate through: more than today's last-level caches.
ROTATED_BYTES = 256 << 20
# The most sets of memory, which very short stacks reach. They stay in a cache, as they would in a program.
MOST_SETS = 64
# After three repeats, no call is repeated beyond this time.
PATIENCE_SECONDS = 10.0


class Job:
    """The defaults for a job."""

    into = work = device = before = fetch = note = None
    warm = False

    def close(self):
        pass


def run(args, peers, device=None):
    """Times all requested configurations, prints the times, and returns the exit status."""
    if args.dry_run:
        schema.write_json(schema.dry_rows(args, peers), args.json or "-")
        return 0
    loaded = []
    for peer in peers:
        try:
            peer.program = peer.load()
            loaded.append(peer)
        except schema.Missing as missing:
            print(f"{peer.name} is left out: {missing}", file=sys.stderr)
    table = schema.Table(sys.stderr if args.json == "-" else sys.stdout)
    rows = []
    for peer, scalar, order, count in schema.configurations(args, loaded):
        rows.append(measure(peer, scalar, order, count, args, device))
        table.add(rows[-1])
    table.end()
    if args.json:
        schema.write_json(rows, args.json)
    untimed = [each for each in rows if each["total_seconds"] is None]
    for each in untimed:
        print(f"{each['engine']} {each['scalar']} order {each['order']}: {each['note']}", file=sys.stderr)
    return 1 if untimed else 0


def measure(peer, scalar, order, count, args, device):
    """Checks and times one configuration, and returns its row. A failure becomes a row without times."""
    values = {
        "program": peer.program,
        "engine": peer.name,
        "kernel": peer.kernels[args.op],
        "op": args.op,
        "width": args.width or None,
        "adapter": device and device.adapter,
        "driver": device and device.driver,
        "scalar": scalar,
        "order": order,
        "len": count,
        "threads": args.threads,
    }
    job = None
    try:
        inputs, outputs = buffers(args, scalar, order, count, exchanges=peer.pivots)
        job = peer.job(inputs, args.threads)
        values["note"] = job.note
        values["first_call_seconds"], worst = check(job, inputs[0], outputs[0])
        values["max_ratio"] = schema.finite(worst)
        if not worst < inputs[0].bound:
            raise ArithmeticError(f"wrong answer, not timed: ratio {worst:.3g}")
        values.update(times(job, inputs, outputs, args.repeats, device))
    except Exception as failure:  # One peer's failure must not cost the others their rows.
        values["note"] = "; ".join(filter(None, [str(failure) or type(failure).__name__, values.get("note")]))
    finally:
        if job:
            job.close()
    return schema.row(**values)


def buffers(args, scalar, order, count, exchanges):
    """Inputs and touched outputs, enough of both that caches do not help."""
    import stacks

    first = stacks.Input.random(args.op, scalar, order, args.width, count, exchanges)
    sets = min(MOST_SETS, max(2, -(-ROTATED_BYTES // (first.elements.nbytes + first.copied_bytes))))
    inputs = [first] + [first.copy() for _ in range(sets - 1)]
    outputs = [stacks.Output(first) for _ in range(sets)]
    return inputs, outputs


def check(job, given, output):
    """The seconds of the first call, unless the job is warm, and the worst ratio of every path that will be timed."""
    began = time.perf_counter()
    answer = job.fresh(0)
    first = None if job.warm else time.perf_counter() - began
    worst = given.ratio(answer)
    if job.into:
        job.into(0, output.x)
        worst = max(worst, given.ratio(output.x))
    if job.device:
        if job.before:
            job.before()
        worst = max(worst, given.ratio(job.fetch(job.device())))
    return first, worst


def times(job, inputs, outputs, repeats, device):
    """The row's times."""
    sets = len(inputs)
    fresh = collect(wall(lambda i: job.fresh(i % sets)), repeats)
    total = collect(wall(lambda i: job.into(i % sets, outputs[i % sets].x)), repeats) if job.into else fresh
    work = collect(lambda i: job.work(i % sets), repeats) if job.work else None
    on_device = collect(lambda i: device.seconds(job.device, job.before), repeats) if job.device else None
    if device:
        copy = device.copy_seconds(inputs[0].copied_bytes, lambda seconds: collect(seconds, repeats))
    else:
        copy = collect(wall(lambda i: outputs[i % sets].copy_from(inputs[i % sets])), repeats)
    return {
        "repeats": len(total),
        "total_seconds": min(total),
        "total_median_seconds": statistics.median(total),
        "fresh_seconds": min(fresh),
        "fresh_median_seconds": statistics.median(fresh),
        "device_seconds": on_device and min(on_device),
        "device_median_seconds": on_device and statistics.median(on_device),
        "work_seconds": work and min(work),
        "copy_seconds": min(copy),
    }


def collect(seconds, repeats):
    """`seconds(i)` for each repeat i, after a warm-up that is discarded."""
    seconds(0)
    began = time.perf_counter()
    taken = []
    for i in range(1, repeats + 1):
        taken.append(seconds(i))
        if i >= 3 and time.perf_counter() - began > PATIENCE_SECONDS:
            break
    return taken


def wall(call):
    """Times `call(i)` by the wall clock, without freeing its result."""

    def seconds(i):
        began = time.perf_counter()
        answer = call(i)
        ended = time.perf_counter()
        del answer
        return ended - began

    return seconds
