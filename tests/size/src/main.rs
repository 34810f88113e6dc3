//! Inverts one stack of float32 matrices, as a small program would.

use batchinv::{Error, Inverter, Stack};

fn main() -> Result<(), Error> {
    // Not known to the compiler, so that nothing is computed beforehand.
    let elements: Vec<f32> = std::env::args().skip(1).filter_map(|element| element.parse().ok()).collect();
    let inverses = Inverter::cpu().invert(Stack::new(&elements, 2)?)?;
    println!("{:?} {:?}", inverses.stack().elements(), inverses.statuses());
    Ok(())
}
