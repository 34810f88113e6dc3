#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| batchinv_fuzz::targets::npz(data));
