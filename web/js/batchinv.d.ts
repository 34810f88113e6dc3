/**
 * Inverses of stacks of small matrices, solutions of systems, and determinants, on WebGPU and on the SIMD lanes of the
 * CPU, with a verdict for each matrix.
 *
 * A stack is `len` square matrices of one order, row-major, one after another, in a `Float32Array` or a `Float64Array`.
 * Everything computes in a worker; the arrays that are given stay as they are.
 *
 * Every function returns a promise. It rejects with an `Error` whose message says what is wrong, and never because a
 * matrix is singular.
 */

/** The elements of a stack, and of results. With the option `complex`, each element takes two: re, im. */
export type Elements = Float32Array | Float64Array;

/** `auto` takes a hardware GPU where the work is worth the trip, and the CPU otherwise. */
export type Engine = "auto" | "cpu" | "gpu";

export interface Options {
    /** By default `auto`. Browsers' GPUs have no float64: `gpu` refuses `Float64Array`, and `auto` takes the CPU. */
    engine?: Engine;
    /**
     * `double` computes float32 in float64 and rounds at the end, as NumPy does; on the GPU in pairs of float32, which
     * are as accurate in norm. By default `native`.
     */
    precision?: "native" | "double";
    /** True if elements are complex numbers, two array elements each. */
    complex?: boolean;
    /** What a matrix without an inverse, or a solution that does not exist, becomes. By default `nan`. */
    onFailure?: "nan" | "zero" | "identity" | "input";
    /** The longest wait for a piece of work on the GPU, in seconds. By default generous. */
    timeLimit?: number;
}

export interface InvertOptions extends Options {
    /** True for the reciprocal condition numbers, 1 / (||A||_1 ||X||_1). */
    rcond?: boolean;
    /** Matrices whose rcond is below this get the status -2, and keep their inverses. */
    minRcond?: number;
}

export interface SolveOptions extends Options {
    /** The columns of each right-hand side. By default 1. */
    columns?: number;
}

/** What ran. */
export interface Report {
    engine: "cpu" | "gpu";
    /** The adapter's name, on the GPU. */
    adapter: string | null;
    kernel: "lanes" | "rows" | "blocked" | "thread" | "subgroup" | "workgroup" | "device";
    /** The numbers that were computed with. `pairs` are sums of two of float32. */
    arithmetic: "float32" | "float64" | "pairs";
    /** The pieces in which the stack went to the GPU. */
    chunks: number;
    /** Why `auto` took this engine. */
    reason: string | null;
    /** Why the GPU gave up under `auto`; the CPU then did the rest. */
    gpuFailure: string | null;
    /** Wall time by stage; all 0 for work that takes about as long as reading the clock. */
    seconds: { prepare: number; upload: number; dispatch: number; readback: number };
    /** Seconds in compute passes by the GPU's own clock. */
    deviceSeconds: number | null;
}

export interface Inverses<E extends Elements> {
    inverses: E;
    /**
     * A word for each matrix: 0 inverted, k >= 1 singular with a zero pivot in column k, -1 not finite, -2 below
     * `minRcond`.
     */
    statuses: Int32Array;
    /** One number for each matrix if they were asked for. */
    rcond: E | null;
    report: Report;
}

export interface Solutions<E extends Elements> {
    solutions: E;
    statuses: Int32Array;
    report: Report;
}

export interface Determinants<E extends Elements> {
    /** Infinite or 0 where they leave the range of the elements. */
    determinants: E;
    /** 1, -1 or 0; of modulus 1 for complex matrices. */
    signs: E;
    /** The natural logarithms of the magnitudes, which never leave the range. */
    logs: Float64Array;
    report: Report;
}

/** The GPU. */
export interface Adapter {
    name: string;
    /** True if it runs on the CPU. */
    software: boolean;
    /** The sizes of the smallest and the largest subgroup, if it has any. */
    subgroups: [number, number] | null;
    /** True if it measures its own time. */
    timestamps: boolean;
}

/** Inverts every matrix of a stack. */
export function invert<E extends Elements>(
    elements: E,
    order: number,
    options?: InvertOptions,
): Promise<Inverses<E>>;

/** Solves A X = B for every matrix of a stack. One matrix goes with all right-hand sides, one of these with all A. */
export function solve<E extends Elements>(
    elements: E,
    order: number,
    rhs: E,
    options?: SolveOptions,
): Promise<Solutions<E>>;

/** Computes the determinant of every matrix of a stack. */
export function det<E extends Elements>(elements: E, order: number, options?: Options): Promise<Determinants<E>>;

/**
 * LAPACK's test ratio of every inverse, ||I - X A||_1 / (n ||A||_1 ||X||_1 eps). This library stays below 3 on LAPACK's
 * test matrices; LAPACK itself accepts 30. NaN for a matrix without an inverse.
 */
export function ratios<E extends Elements>(
    elements: E,
    inverses: E,
    order: number,
    options?: { complex?: boolean },
): Promise<Float64Array>;

/** The GPU that the engine takes, or null if this browser offers none. */
export function adapter(): Promise<Adapter | null>;

/** What the CPU engine runs on. */
export function cpu(): Promise<{ level: "simd128" | "portable" }>;

/** Ends the worker, and with it all calls that are under way. The next call starts another. */
export function close(): void;

/** The engine on a device of your own, for matrices that lie in its buffers. */
export function device(device: GPUDevice): Promise<Device>;

/** Element (i, j) of matrix m lies at `offset + m * matrix + i * row + j * column`, counted in elements. */
export interface Layout {
    offset?: number;
    matrix?: number;
    row?: number;
    column?: number;
}

/** A job. Every buffer needs the usage `STORAGE`. */
export interface JobDescriptor {
    /** By default `float32`. */
    scalar?: "float32" | "complex64";
    precision?: "native" | "double";
    order: number;
    /** The largest number of matrices. */
    capacity: number;
    /** The matrices. Without `output` and `rhs`, their inverses replace them. */
    input: GPUBuffer;
    inputLayout?: Layout;
    /** For the inverses or solutions. */
    output?: GPUBuffer;
    outputLayout?: Layout;
    /** Right-hand sides: the job then solves. Without `output`, the solutions replace them. */
    rhs?: GPUBuffer;
    rhsLayout?: Layout;
    /** The columns of each right-hand side. By default 1. */
    columns?: number;
    /** For the status words, an `i32` for each matrix. */
    statuses?: GPUBuffer;
    /** For the reciprocal condition numbers, an `f32` for each matrix. */
    rconds?: GPUBuffer;
    /** For the determinants, mantissa and exponent of 2, two scalars for each matrix. Without `rhs`, nothing else. */
    determinants?: GPUBuffer;
    minRcond?: number;
    onFailure?: "nan" | "zero" | "identity" | "input";
    /** A `u32` at its start is the number of matrices that `encodeIndirect` takes. */
    count?: GPUBuffer;
}

export interface Device {
    /** Makes a job: compiles, and allocates all that it needs. */
    job(descriptor: JobDescriptor): Promise<Job>;
    /** Frees the engine's memory; the `GPUDevice` stays yours. */
    free(): void;
}

/** Encoding a job allocates, submits and waits for nothing. */
export interface Job {
    /** Encodes the work on the first `len` matrices, in a compute pass of its own in your encoder. */
    encode(encoder: GPUCommandEncoder, len: number): void;
    /** Encodes the work on as many matrices as the buffer `count` says when the commands run. */
    encodeIndirect(encoder: GPUCommandEncoder): void;
    /** The status words of the first `len` matrices, after everything submitted so far. */
    readStatuses(len: number): Promise<Int32Array>;
    /** The buffer of the status words, yours or the job's own. */
    readonly statuses: GPUBuffer;
    readonly capacity: number;
    free(): void;
}
