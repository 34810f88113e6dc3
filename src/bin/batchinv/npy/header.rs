//! The header of an `.npy` file: versions 1 to 3, screened and then parsed by npyz.
//!
//! A header is a Python expression from an untrusted source. npyz's parser recurses for each bracket, takes twice as
//! long for each level of nesting, and multiplies sizes without a check, so headers that are long or deep, or whose
//! sizes overflow, are refused before they reach it.

use batchinv::ScalarKind;
use npyz::{DType, Endianness, NpyHeader, Order, TypeChar, TypeStr};

use crate::exit::Failure;
use crate::npy::source::Source;
use crate::shape::tuple;

/// Longest header that is read: the longest of version 1, and 6 times as long as NumPy reads by default.
const MAX_TEXT: usize = 1 << 16;

/// Deepest nesting of brackets: a dictionary with a structured dtype, in which another has a field with a shape.
/// Structured dtypes are refused, but by name.
const MAX_DEPTH: usize = 6;

/// Most axes; NumPy has the same limit.
const MAX_AXES: usize = 64;

const MAGIC: &[u8] = b"\x93NUMPY";

/// The facts in a header.
pub struct Header {
    pub dtype: Dtype,
    pub big_endian: bool,
    pub fortran_order: bool,
    pub axes: Vec<usize>,
}

/// The dtypes that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    Bool,
    Int8,
    Int16,
    Int32,
    Int64,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    Float32,
    Float64,
    Complex64,
    Complex128,
}

impl Dtype {
    /// Bytes of one element in the file.
    pub const fn size(self) -> usize {
        match self {
            Self::Bool | Self::Int8 | Self::Uint8 => 1,
            Self::Int16 | Self::Uint16 => 2,
            Self::Int32 | Self::Uint32 | Self::Float32 => 4,
            Self::Int64 | Self::Uint64 | Self::Float64 | Self::Complex64 => 8,
            Self::Complex128 => 16,
        }
    }

    /// Bytes of one element in memory, where integers become float64.
    const fn scalar_size(self) -> usize {
        match self.scalar() {
            Some(scalar) => scalar.size(),
            None => 8,
        }
    }

    /// The scalar that is read without conversion.
    pub const fn scalar(self) -> Option<ScalarKind> {
        match self {
            Self::Float32 => Some(ScalarKind::Float32),
            Self::Float64 => Some(ScalarKind::Float64),
            Self::Complex64 => Some(ScalarKind::Complex64),
            Self::Complex128 => Some(ScalarKind::Complex128),
            _ => None,
        }
    }

    /// Bytes of the unit that has a byte order: an element, or half of a complex one.
    pub const fn part(self) -> usize {
        match self {
            Self::Complex64 | Self::Complex128 => self.size() / 2,
            _ => self.size(),
        }
    }
}

impl Header {
    pub fn read(source: &mut Source) -> Result<Self, Failure> {
        Self::parse(&read_text(source)?)
    }

    fn parse(text: &str) -> Result<Self, Failure> {
        let (text, descr) = screen(text).map_err(|reason| not_numpy(&reason))?;

        // Handed on as version 3, whose text is UTF-8 like `text`.
        let mut bytes = [MAGIC, &[3, 0], &(text.len() as u32).to_le_bytes()].concat();
        bytes.extend(text.as_bytes());
        let header = NpyHeader::from_reader(&bytes[..]).map_err(|error| match descr.parse::<TypeStr>() {
            Err(_) if !descr.is_empty() => unsupported(&descr, None),
            _ => not_numpy(&brief(&error.to_string())),
        })?;

        let DType::Plain(kind) = header.dtype() else {
            return Err(unsupported(&descr, Some("a structured dtype")));
        };
        let dtype = dtype(&kind).ok_or_else(|| unsupported(&descr, name(&kind)))?;
        let big_endian = kind.endianness() == Endianness::Big;
        Ok(Self {
            dtype,
            big_endian,
            fortran_order: header.order() == Order::Fortran,
            axes: axes(header.shape(), dtype)?,
        })
    }
}

/// Shortens npyz's message, which quotes the text on further lines, to the place of the error.
fn brief(message: &str) -> String {
    message.lines().next().unwrap_or("").replace(":  --> 1:", " from character ")
}

/// Reads the text of the header, and leaves the source at the first element.
fn read_text(source: &mut Source) -> Result<String, Failure> {
    let mut start = [0; 8];
    let had = source.read_up_to(&mut start)?;
    if !start[..had].starts_with(MAGIC) {
        return Err(not_npy(&start[..had]));
    }
    let mut len = [0; 4];
    let len_bytes = match start[6..] {
        _ if had < start.len() => return Err(truncated()),
        [1, 0] => 2,
        [2 | 3, 0] => 4,
        _ => {
            let (major, minor) = (start[6], start[7]);
            return Err(Failure::input(format!("its .npy version is {major}.{minor}: 1.0, 2.0 and 3.0 are read")));
        }
    };
    if source.read_up_to(&mut len[..len_bytes])? < len_bytes {
        return Err(truncated());
    }
    let len = u32::from_le_bytes(len) as usize;
    if len > MAX_TEXT {
        return Err(Failure::input(format!("its header claims {len} bytes: at most {MAX_TEXT} are read")));
    }
    let mut text = vec![0; len];
    if source.read_up_to(&mut text)? < len {
        return Err(truncated());
    }
    if start[6] == 3 {
        return String::from_utf8(text).map_err(|_| not_numpy("it is not UTF-8"));
    }
    // Versions 1 and 2 are Latin-1.
    Ok(text.into_iter().map(char::from).collect())
}

/// Accepts only what a NumPy header can hold: one dictionary of strings, True, False, None, sizes, and tuples and lists
/// of them. Returns the text for npyz, and the dtype: on one line, without surrounding blanks and comments, without the
/// `L` that Python 2 appends to sizes, and with a dtype that is read as `canonical` spells it.
fn screen(text: &str) -> Result<(String, String), String> {
    let text = text.trim_matches([' ', '\n']);
    let mut kept = String::with_capacity(text.len());
    let (mut depth, mut elements) = (0, 1_u64);
    // The last string, and the start and end of the value of 'descr' in `kept`.
    let (mut string, mut descr) = ("", None);
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '\'' | '"' => {
                let end = rest[1..].find([first, '\\', '\n', '\r']).ok_or("a string does not end")?;
                if !rest[1 + end..].starts_with(first) {
                    return Err("a string holds an escape or the end of a line".to_owned());
                }
                string = &rest[1..1 + end];
                if depth == 1
                    && matches!(descr, Some((_, None)))
                    && let Some(name) = canonical(string)
                {
                    kept.push_str(&format!("'{name}'"));
                    rest = &rest[end + 2..];
                    continue;
                }
                end + 2
            }
            '\n' | '\r' => {
                kept.push(' ');
                rest = &rest[1..];
                continue;
            }
            '#' => {
                rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
                continue;
            }
            '[' if depth == 1 && string == "shape" => return Err("its shape is a list".to_owned()),
            '0'..='9' => {
                let len = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
                let size: Option<u64> = rest[..len].parse().ok();
                // NumPy, too, refuses sizes that overflow even if one of them is 0.
                elements = size
                    .and_then(|size| elements.checked_mul(size.max(1)))
                    .ok_or("its sizes are more than memory can address")?;
                len
            }
            'A'..='Z' | 'a'..='z' => {
                let len = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
                match &rest[..len] {
                    "L" if kept.ends_with(|c: char| c.is_ascii_digit()) => {
                        rest = &rest[1..];
                        continue;
                    }
                    "True" | "False" | "None" => len,
                    word => return Err(format!("it holds {word:.20}")),
                }
            }
            '{' if depth > 0 => return Err("it holds a dictionary in a dictionary".to_owned()),
            '{' | '(' | '[' if depth == MAX_DEPTH => {
                return Err(format!("its brackets are more than {MAX_DEPTH} deep"));
            }
            '{' | '(' | '[' => {
                depth += 1;
                1
            }
            '}' | ')' | ']' => {
                depth = usize::checked_sub(depth, 1).ok_or("its brackets do not match")?;
                1
            }
            ':' if depth == 1 && string == "descr" => {
                descr = Some((kept.len() + 1, None));
                1
            }
            ',' | ':' | ' ' | '\t' => 1,
            '-' => return Err("it holds a negative size".to_owned()),
            other => return Err(format!("it holds {other:?}")),
        };
        if let Some((_, end @ None)) = &mut descr
            && (first == ',' && depth == 1 || first == '}' && depth == 0)
        {
            *end = Some(kept.len());
        }
        kept.push_str(&rest[..len]);
        rest = &rest[len..];
    }
    if depth > 0 {
        return Err("its brackets do not match".to_owned());
    }
    let descr = descr.and_then(|(start, end)| kept.get(start..end?)).unwrap_or("");
    let descr = descr.trim().trim_matches(['\'', '"']).to_owned();
    Ok((kept, descr))
}

/// A dtype that is read, as NumPy itself writes it: `=f8`, `d` and `float64`, for instance, are this machine's `<f8`.
fn canonical(descr: &str) -> Option<String> {
    let native = if cfg!(target_endian = "big") { '>' } else { '<' };
    let (order, name) = match descr.chars().next()? {
        order @ ('<' | '>') => (order, &descr[1..]),
        '=' | '|' => (native, &descr[1..]),
        _ => (native, descr),
    };
    let code = match name {
        "?" | "bool" => "b1",
        "b" | "int8" => "i1",
        "h" | "int16" => "i2",
        "i" | "int32" => "i4",
        "q" | "int64" => "i8",
        "B" | "uint8" => "u1",
        "H" | "uint16" => "u2",
        "I" | "uint32" => "u4",
        "Q" | "uint64" => "u8",
        "f" | "float32" | "single" => "f4",
        "d" | "float64" | "double" | "float" => "f8",
        "F" | "complex64" | "csingle" => "c8",
        "D" | "complex128" | "cdouble" | "complex" => "c16",
        code @ ("b1" | "i1" | "i2" | "i4" | "i8" | "u1" | "u2" | "u4" | "u8" | "f4" | "f8" | "c8" | "c16") => code,
        _ => return None,
    };
    let order = if code.ends_with('1') { '|' } else { order };
    Some(format!("{order}{code}"))
}

/// The dtype, if it is one of those that are read.
fn dtype(kind: &TypeStr) -> Option<Dtype> {
    Some(match (kind.type_char(), kind.size_field()) {
        (TypeChar::Bool, 1) => Dtype::Bool,
        (TypeChar::Int, 1) => Dtype::Int8,
        (TypeChar::Int, 2) => Dtype::Int16,
        (TypeChar::Int, 4) => Dtype::Int32,
        (TypeChar::Int, 8) => Dtype::Int64,
        (TypeChar::Uint, 1) => Dtype::Uint8,
        (TypeChar::Uint, 2) => Dtype::Uint16,
        (TypeChar::Uint, 4) => Dtype::Uint32,
        (TypeChar::Uint, 8) => Dtype::Uint64,
        (TypeChar::Float, 4) => Dtype::Float32,
        (TypeChar::Float, 8) => Dtype::Float64,
        (TypeChar::Complex, 8) => Dtype::Complex64,
        (TypeChar::Complex, 16) => Dtype::Complex128,
        _ => return None,
    })
}

/// NumPy's name of a dtype that is not read.
fn name(kind: &TypeStr) -> Option<&'static str> {
    Some(match (kind.type_char(), kind.size_field()) {
        (TypeChar::Float, 2) => "float16",
        (TypeChar::Float, 16) => "longdouble",
        (TypeChar::Complex, 32) => "clongdouble",
        (TypeChar::Object, _) => "object",
        (TypeChar::ByteStr, _) => "bytes",
        (TypeChar::UnicodeStr, _) => "str",
        (TypeChar::DateTime, _) => "datetime64",
        (TypeChar::TimeDelta, _) => "timedelta64",
        (TypeChar::RawData, _) => "void",
        _ => return None,
    })
}

fn axes(shape: &[u64], dtype: Dtype) -> Result<Vec<usize>, Failure> {
    if shape.len() > MAX_AXES {
        return Err(Failure::input(format!("it has {} axes: at most {MAX_AXES} are read", shape.len())));
    }
    let axes = shape.iter().map(|&axis| usize::try_from(axis).ok()).collect::<Option<Vec<usize>>>();
    let bytes = axes.iter().flatten().try_fold(dtype.scalar_size(), |bytes, &axis| bytes.checked_mul(axis.max(1)));
    match (axes, bytes) {
        (Some(axes), Some(bytes)) if isize::try_from(bytes).is_ok() => Ok(axes),
        (Some(axes), _) => Err(Failure::input(format!("its shape {} is more than memory can address", tuple(&axes)))),
        (None, _) => Err(Failure::input("its shape is more than memory can address")),
    }
}

fn truncated() -> Failure {
    Failure::input("truncated: it ends in the header")
}

fn not_npy(start: &[u8]) -> Failure {
    let reason = match start {
        [] => "it is empty",
        // NumPy's other format is the likeliest mistake.
        [b'P', b'K', 3, 4, ..] => "it is an archive, and .npz is read from files only",
        _ => "it does not start with \\x93NUMPY",
    };
    Failure::input(format!("not a .npy file: {reason}"))
}

fn not_numpy(reason: &str) -> Failure {
    Failure::input(format!("its header is not one that NumPy writes: {reason}"))
}

fn unsupported(descr: &str, name: Option<&str>) -> Failure {
    let name = name.map_or(String::new(), |name| format!(" ({name})"));
    Failure::input(format!(
        "its dtype is {descr:.80}{name}: float32, float64, complex64, complex128, integers and bool are read"
    ))
}

/// A header of version 1, byte for byte as NumPy writes it, padded so that the first axis can grow in place.
pub fn write(descr: &str, axes: &[usize]) -> Vec<u8> {
    let mut text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {}, }}", tuple(axes));
    if let Some(first) = axes.first() {
        text.extend(std::iter::repeat_n(' ', 21 - first.to_string().len()));
    }
    let used = MAGIC.len() + 4 + text.len() + 1;
    text.extend(std::iter::repeat_n(' ', used.next_multiple_of(64) - used));
    text.push('\n');
    // 64 axes of 20 digits each are far below the limit of version 1, 65535 bytes.
    [MAGIC, &[1, 0], &(text.len() as u16).to_le_bytes(), text.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(descr: &str) -> Result<Header, Failure> {
        Header::parse(&format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (3, 2, 2), }}"))
    }

    /// Whatever NumPy reads as a dtype that is read here: a Fortran library writes `=f8`, for instance.
    #[test]
    fn dtypes_by_any_name() {
        let foreign = if cfg!(target_endian = "big") { '<' } else { '>' };
        for (names, dtype) in [
            (["'=f8'", "'d'", "'float64'", "\"|f8\"", "'f8'"], Dtype::Float64),
            (["'=f4'", "'f'", "'float32'", "'single'", "'=f'"], Dtype::Float32),
            (["'=c8'", "'F'", "'complex64'", "'csingle'", "'c8'"], Dtype::Complex64),
            (["'=c16'", "'D'", "'complex128'", "'cdouble'", "'complex'"], Dtype::Complex128),
            (["'=i4'", "'i'", "'int32'", "'i4'", "'|i4'"], Dtype::Int32),
            (["'|u1'", "'B'", "'uint8'", "'u1'", "'<u1'"], Dtype::Uint8),
            (["'|b1'", "'?'", "'bool'", "'b1'", "'=?'"], Dtype::Bool),
        ] {
            for name in names {
                let header = parse(name).unwrap_or_else(|failure| panic!("{name}: {failure:?}"));
                assert_eq!((header.dtype, header.big_endian && dtype.size() > 1), (dtype, foreign == '<'), "{name}");
            }
        }
        let header = parse(&format!("'{foreign}d'")).unwrap();
        assert_eq!((header.dtype, header.big_endian), (Dtype::Float64, foreign == '>'));
        for name in ["'=f2'", "'g'", "'float16'", "'='", "''", "'U5'"] {
            assert!(parse(name).is_err(), "{name}");
        }
    }

    /// NumPy reads the text as a Python expression.
    #[test]
    fn lines_and_comments() {
        let text = "{'descr': '<f8', # doubles, \"in\" C order\n 'fortran_order': False,\r\n'shape': (3,\n2, 2)}  \n";
        let header = Header::parse(text).unwrap();
        assert_eq!((header.dtype, header.axes), (Dtype::Float64, vec![3, 2, 2]));
        let list = Header::parse("{'descr': '<f8', 'fortran_order': False, 'shape': [3, 2, 2]}");
        assert!(format!("{:?}", list.err().unwrap()).contains("its shape is a list"));
    }
}
