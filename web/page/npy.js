/** NumPy's files of one array, as far as stacks of matrices go. */

const MAGIC = "\x93NUMPY";

/** The types that are inverted as they are. Integers become float64, as in NumPy. */
const FLOATS = { f4: Float32Array, f8: Float64Array, c8: Float32Array, c16: Float64Array };
const INTEGERS = {
    i1: Int8Array,
    u1: Uint8Array,
    b1: Uint8Array,
    i2: Int16Array,
    u2: Uint16Array,
    i4: Int32Array,
    u4: Uint32Array,
    i8: BigInt64Array,
    u8: BigUint64Array,
};

/**
 * Reads a stack of square matrices: `{ elements, shape, order, complex }`, the elements row-major.
 * @param {ArrayBuffer} file
 */
export function read(file) {
    const bytes = new Uint8Array(file);
    if (bytes.length < 10 || String.fromCharCode(...bytes.subarray(0, 6)) !== MAGIC) {
        throw new Error("this is no .npy file");
    }
    const view = new DataView(file);
    const short = bytes[6] === 1;
    const start = short ? 10 : 12;
    const length = short ? view.getUint16(8, true) : bytes.length < 12 ? Infinity : view.getUint32(8, true);
    if (start + length > bytes.length) {
        throw new Error("the file ends within its header");
    }
    const header = new TextDecoder("latin1").decode(bytes.subarray(start, start + length));
    const descr = /'descr':\s*'([<>|=])([a-z]\d+)'/.exec(header);
    const fortran = /'fortran_order':\s*(True|False)/.exec(header);
    const listed = /'shape':\s*\(([\d,\s]*)\)/.exec(header);
    if (!descr || !fortran || !listed) {
        throw new Error("the file holds no plain array of numbers");
    }
    const shape = listed[1]
        .split(",")
        .filter((axis) => axis.trim() !== "")
        .map(Number);
    const order = shape.at(-1);
    if (shape.length < 2 || shape.at(-2) !== order) {
        throw new Error(`the shape is (${shape.join(", ")}): the last two axes must be a square matrix`);
    }
    const [, byteOrder, type] = descr;
    const kind = FLOATS[type] ?? INTEGERS[type];
    if (!kind) {
        throw new Error(`the type ${type} has no inverse here: float32, float64, complex, integers and bool do`);
    }
    const complex = type[0] === "c";
    const count = shape.reduce((product, axis) => product * axis, 1) * (complex ? 2 : 1);
    const data = bytes.slice(start + length);
    if (data.length !== count * kind.BYTES_PER_ELEMENT) {
        throw new Error(
            `the header promises ${count * kind.BYTES_PER_ELEMENT} bytes, the file holds ${data.length}`,
        );
    }
    if (byteOrder === ">") {
        swap(data, kind.BYTES_PER_ELEMENT);
    }
    const given = new kind(data.buffer);
    let elements = FLOATS[type] ? given : Float64Array.from(given, Number);
    if (fortran[1] === "True") {
        elements = rowMajor(elements, shape, complex ? 2 : 1);
    }
    return { elements, shape, order, complex };
}

/** Writes an array as a file: the parts of a Blob. */
export function write(elements, shape, complex = false) {
    const types = { Float32Array: ["f4", "c8"], Float64Array: ["f8", "c16"], Int32Array: ["i4"] };
    const type = types[elements.constructor.name][complex ? 1 : 0];
    const axes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
    const header = `{'descr': '<${type}', 'fortran_order': False, 'shape': (${axes}), }`;
    // The data begins at a multiple of 64.
    const padded = header.padEnd(Math.ceil((10 + header.length + 1) / 64) * 64 - 11) + "\n";
    const length = String.fromCharCode(padded.length & 255, padded.length >> 8);
    const start = Uint8Array.from(MAGIC + "\x01\x00" + length + padded, (character) => character.charCodeAt(0));
    return [start, elements];
}

function swap(bytes, size) {
    for (let at = 0; at < bytes.length; at += size) {
        bytes.subarray(at, at + size).reverse();
    }
}

/** The elements of an array whose first axis varies fastest, with the last axis varying fastest. */
function rowMajor(elements, shape, parts) {
    const moved = new elements.constructor(elements.length);
    const index = shape.map(() => 0);
    const strides = shape.map((_, axis) =>
        shape.slice(0, axis).reduce((product, length) => product * length, parts),
    );
    for (let to = 0; to < moved.length; to += parts) {
        const from = index.reduce((sum, at, axis) => sum + at * strides[axis], 0);
        for (let part = 0; part < parts; part += 1) {
            moved[to + part] = elements[from + part];
        }
        for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis -= 1) {
            index[axis] = 0;
        }
    }
    return moved;
}
