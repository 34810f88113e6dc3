//! The instructions of a program by kind, from the driver's text: those of AMD's GPUs.

use serde::{Deserialize, Serialize};

/// Instructions in the text, each counted once however often it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instructions {
    /// Multiply-adds, products and sums of floating-point numbers.
    pub arithmetic: u64,
    /// Choices between two registers by a mask.
    pub selects: u64,
    /// Moves between vector registers.
    pub moves: u64,
    /// Everything else of the vector unit.
    pub other_vector: u64,
    /// The scalar unit, branches included.
    pub scalar: u64,
    /// Of these, branches.
    pub branches: u64,
    /// Workgroup memory and shuffles through it.
    pub local: u64,
    /// Loads from and stores to buffers.
    pub buffer: u64,
    /// The same for the memory of spilled registers, on GPUs that have instructions of their own for it.
    pub scratch: u64,
}

/// A kind of instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Arithmetic,
    Select,
    Move,
    OtherVector,
    Scalar,
    Branch,
    Local,
    Buffer,
    Scratch,
}

impl Kind {
    /// The kind of an instruction by its name.
    pub fn of(name: &str) -> Self {
        const ARITHMETIC: [&str; 10] = ["fma", "fmac", "fmamk", "fmaak", "mul", "add", "sub", "subrev", "mad", "mac"];
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
        if starts(&["v_cndmask"]) {
            return Self::Select;
        }
        if starts(&["v_mov", "v_swap", "v_accvgpr"]) {
            return Self::Move;
        }
        if let Some(rest) = name.strip_prefix("v_") {
            let rest = rest.trim_start_matches("pk_").trim_start_matches("dual_");
            let (verb, scalar) = rest.split_once('_').unwrap_or((rest, ""));
            let float = scalar.starts_with("f32") || scalar.starts_with("f64") || matches!(verb, "fmac" | "fmamk");
            return if float && ARITHMETIC.contains(&verb) { Self::Arithmetic } else { Self::OtherVector };
        }
        if starts(&["s_cbranch", "s_branch"]) {
            return Self::Branch;
        }
        if starts(&["ds_"]) {
            return Self::Local;
        }
        if starts(&["scratch_"]) {
            return Self::Scratch;
        }
        if starts(&["buffer_", "global_", "flat_"]) {
            return Self::Buffer;
        }
        Self::Scalar
    }
}

impl Instructions {
    /// Counts the instructions of a text.
    pub fn of(text: &str) -> Self {
        let mut count = Self::default();
        for line in lines(text) {
            if let Line::Instruction { name, times, .. } = line {
                count.add(Kind::of(name), times);
            }
        }
        count
    }

    /// Counts an instruction this many times.
    pub fn add(&mut self, kind: Kind, times: u64) {
        let counter = match kind {
            Kind::Arithmetic => &mut self.arithmetic,
            Kind::Select => &mut self.selects,
            Kind::Move => &mut self.moves,
            Kind::OtherVector => &mut self.other_vector,
            Kind::Scalar => &mut self.scalar,
            Kind::Branch => {
                self.scalar += times;
                &mut self.branches
            }
            Kind::Local => &mut self.local,
            Kind::Buffer => &mut self.buffer,
            Kind::Scratch => &mut self.scratch,
        };
        *counter += times;
    }

    /// Those of the vector unit that computes.
    pub fn vector(&self) -> u64 {
        self.arithmetic + self.selects + self.moves + self.other_vector
    }
}

/// A line of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// Where branches lead.
    Label(&'a str),
    /// An instruction, which may stand for several of the same.
    Instruction { name: &'a str, operands: &'a str, times: u64 },
}

/// The labels and instructions of a text. Instructions are indented, and their code follows a semicolon.
pub fn lines(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for line in text.lines() {
        let Some(code) = line.strip_prefix(['\t', ' ']) else {
            lines.extend(line.strip_suffix(':').map(Line::Label));
            continue;
        };
        let code = code.split(';').next().unwrap_or_default().trim();
        // Mesa writes an instruction that follows itself once.
        if let Some(more) = code.strip_prefix("(then repeated ") {
            if let Some(Line::Instruction { times, .. }) = lines.last_mut() {
                *times += more.split(' ').next().and_then(|more| more.parse::<u64>().ok()).unwrap_or(0);
            }
            continue;
        }
        let (name, operands) = code.split_once(char::is_whitespace).unwrap_or((code, ""));
        if !name.is_empty() {
            lines.push(Line::Instruction { name, operands: operands.trim(), times: 1 });
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instructions_by_kind() {
        let text = "BB0:
\ts_mov_b32 s0, s3                       ; be800303
\tv_fma_f32 v1, v2, v3, v4               ; 00
\tv_fmac_f32_e32 v1, v2, v3              ; 00
\tv_mul_lo_u32 v1, v2, v3                ; 00
\tv_cndmask_b32_e32 v1, v2, v3, vcc      ; 00
\t(then repeated 2 times)
\tv_mov_b32_e32 v1, v2                   ; 00
\tds_bpermute_b32 v1, v2, v3             ; 00
\tbuffer_load_dword v1, v2, s[0:3], 0 offen ; 00
\tscratch_store_dword v1, v2, off        ; 00
\ts_cbranch_scc1 BB0                     ; 00
";
        let wanted = Instructions {
            arithmetic: 2,
            selects: 3,
            moves: 1,
            other_vector: 1,
            scalar: 2,
            branches: 1,
            local: 1,
            buffer: 1,
            scratch: 1,
        };
        assert_eq!(Instructions::of(text), wanted);
    }
}
