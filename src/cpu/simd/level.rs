//! The level of SIMD instructions, found at run time.

use fearless_simd::{Level, Simd, SimdBase};

/// Runs an expression compiled for a level, like `fearless_simd::dispatch` but without SSE4.2: nothing here gains from
/// it over SSE2, and every level adds to the time to compile.
macro_rules! at_level {
    ($level:expr, $simd:ident => $op:expr) => {{
        let level = $level.0;
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        {
            use fearless_simd::Simd as _;
            if let Some($simd) = level.as_avx512() {
                $simd.vectorize(
                    #[inline(always)]
                    || $op,
                )
            } else if let Some($simd) = level.as_avx2() {
                $simd.vectorize(
                    #[inline(always)]
                    || $op,
                )
            } else if let Some($simd) = level.as_sse2() {
                $simd.vectorize(
                    #[inline(always)]
                    || $op,
                )
            } else {
                // Only in tests: every x86 target of Rust with floating point in registers has SSE2.
                #[cfg(feature = "testing")]
                {
                    if let fearless_simd::Level::Fallback($simd) = level {
                        $simd.vectorize(
                            #[inline(always)]
                            || $op,
                        )
                    } else {
                        unreachable!("a level that nothing is compiled for")
                    }
                }
                #[cfg(not(feature = "testing"))]
                {
                    unreachable!("a level that nothing is compiled for")
                }
            }
        }
        #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
        fearless_simd::dispatch!(level, $simd => $op)
    }};
}
pub(in crate::cpu) use at_level;

/// A level of SIMD instructions for the CPU engine.
///
/// The best level of the machine is found at run time. A lower one can be forced, for tests and comparisons.
///
/// ```
/// use batchinv::{Inverter, SimdLevel, Stack};
/// for level in SimdLevel::all() {
///     let inverses = Inverter::cpu().simd_level(level).invert(Stack::new(&[8.0_f32], 1)?)?;
///     assert_eq!(inverses.stack().elements(), [0.125], "{}", level.name());
/// }
/// # Ok::<(), batchinv::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SimdLevel(pub(in crate::cpu) Level);

impl SimdLevel {
    /// The best level of this machine.
    pub fn best() -> Self {
        Self(Level::new())
    }

    /// All levels that this machine has and the engine is compiled for, the target's baseline first: on x86-64 SSE2,
    /// AVX2 with FMA, and AVX-512 as on Ice Lake. The portable form, which every machine can run, comes first on
    /// targets without SIMD instructions and in this crate's own tests.
    pub fn all() -> Vec<Self> {
        let mut levels = Vec::new();
        #[cfg(feature = "testing")]
        levels.push(Self(Level::fallback()));
        levels.push(Self(Level::baseline()));
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        {
            let best = Level::new();
            levels.extend(best.as_avx2().map(|level| Self(level.level())));
            levels.extend(best.as_avx512().map(|level| Self(level.level())));
        }
        // The baseline of a program compiled for newer machines is itself one of the later levels.
        let names: Vec<_> = levels.iter().map(|level: &Self| level.name()).collect();
        let last = |index: usize| !names[index + 1..].contains(&names[index]);
        (0..).zip(levels).filter(|&(index, _)| last(index)).map(|(_, level)| level).collect()
    }

    /// Bytes of a vector.
    pub(crate) fn vector_bytes(self) -> usize {
        #[inline(always)]
        fn bytes<S: Simd>(_: S) -> usize {
            S::f32s::LEN * size_of::<f32>()
        }
        at_level!(self, simd => bytes(simd))
    }

    /// `sse2`, `avx2`, `avx512`, `neon`, `simd128`, or `portable`.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Level::Avx512(_) => "avx512",
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Level::Avx2(_) => "avx2",
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            Level::Sse2(_) | Level::Sse4_2(_) => "sse2",
            #[cfg(target_arch = "aarch64")]
            Level::Neon(_) => "neon",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Level::WasmSimd128(_) => "simd128",
            _ => "portable",
        }
    }
}
